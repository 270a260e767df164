"""Why something is proposed to her, in words."""

from django.utils.translation import gettext, ngettext

from changke.profiles.affinity.queries import Proposed


def why(one: Proposed) -> str:
    """One sentence that staff can say aloud."""
    last = f"{one.last_on:%Y-%m-%d}" if one.last_on else ""
    match one.reason:
        case "due" if one.cycle_days:
            said = ngettext(
                "Usually wanted again after %(days)s day; she last had it on %(last)s",
                "Usually wanted again after %(days)s days; she last had it on %(last)s",
                one.cycle_days,
            )
            return said % {"days": f"{one.cycle_days:,}", "last": last}
        case "again":
            said = ngettext(
                "She had it on %(times)s day, last on %(last)s",
                "She had it on %(times)s days, last on %(last)s",
                one.times,
            )
            return said % {"times": f"{one.times:,}", "last": last}
        case "alike":
            said = gettext("%(alike)s of the %(similar)s customers most like her had it in the last 90 days")
            return said % {"alike": f"{one.alike:,}", "similar": f"{one.similar:,}"}
        case "goes_with" if one.goes_with:
            return gettext("Goes with %(item)s, which she had last time") % {"item": one.goes_with.name}
    said = ngettext(
        "%(customers)s customer had it in the last 30 days",
        "%(customers)s customers had it in the last 30 days",
        one.recent_customers,
    )
    return said % {"customers": f"{one.recent_customers:,}"}
