"""Words of what was fitted, for cards of every model: what it believes, what held it, what speaks for a proposal."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FALLBACKS: Mapping[str, str | Promise] = {
    "empty": _("Nobody has bought yet: usual values of shops, nothing learned."),
    "one_day": _("Nobody has been observed for longer than a day: usual values of shops, nothing learned."),
    "nobody_came_back": _("Nobody came back yet: the rate is held below half a purchase over everything seen."),
    "few": _("Fewer than ten customers came back: held near the usual values of shops."),
    "nobody_paid": _("No purchase day brought money: the money ahead cannot be learned."),
    "edge": _("The best values lie at the edge of what can be: a simpler model says the same."),
    "stopped": _("The search stopped before it had found the best values; these are the best it saw."),
    "few_baskets": _(
        "Fewer than 200 next purchases were seen: the weights that come with the product hold, learnt from another"
        " shop's receipts."
    ),
}
"""Why a fit is not the plain optimum."""

MODELS: Mapping[str, str | Promise] = {
    "BG/NBD": _("may leave after each further purchase"),
    "MBG/NBD": _("may leave after every purchase, the first too"),
    "Pareto/NBD": _("may leave at any moment"),
    "BG/CNBD-k": _("comes by the clock, the larger k the stricter; may leave after each further purchase"),
    "MBG/CNBD-k": _("comes by the clock, the larger k the stricter; may leave after every purchase, the first too"),
    "Robust spend": _("what a purchase day brings: her own mean, drawn to the chain's, huge orders capped"),
}

SPEAKS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "again": (_("She had it before"), _("how often, how lately, what share of her purchases, in the last one")),
    "due": (_("It is time again"), _("how far she is before or behind the usual cycle of the item")),
    "alike": (_("Customers like her had it"), _("the customers whose purchases are most like hers, lately")),
    "goes_with": (_("It goes with what she had"), _("what is bought together with what she had last and lately")),
    "popular": (_("It sells"), _("how many had it in the last 14, 30, 60 and 180 days")),
}
"""Group of parts -> its name, and what its numbers look at."""
