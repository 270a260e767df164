"""Words of what was fitted, for the card of a model: what it believes, and what held it."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

FALLBACKS: Mapping[str, str | Promise] = {
    "empty": _("Nobody has bought yet: usual values of shops, nothing learned."),
    "one_day": _("Nobody has been observed for longer than a day: usual values of shops, nothing learned."),
    "nobody_came_back": _("Nobody came back yet: the rate is held below half a purchase over everything seen."),
    "few": _("Fewer than ten customers came back: held near the usual values of shops."),
    "nobody_paid": _("No purchase day brought money: the money ahead cannot be learned."),
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
