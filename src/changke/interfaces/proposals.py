"""Why something is proposed to her, in words."""

from django.utils import timezone
from django.utils.translation import gettext, ngettext

from changke.facts.customers.models import Tag
from changke.interfaces.groups import GroupWords
from changke.profiles.affinity.models import Trait
from changke.profiles.affinity.needs import Group
from changke.profiles.affinity.queries import Proposed
from changke.profiles.affinity.rules import ALL, HOME, RECENT_DAYS


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
        case "need" if one.tag:
            return _asked(one, one.tag)
        case "group" if one.group:
            return _of_group(one.group)
        case "goes_with" if one.goes_with:
            return gettext("Goes with %(item)s, which she had last time") % {"item": one.goes_with.name}
    said = ngettext(
        "%(customers)s customer had it in the last 30 days",
        "%(customers)s customers had it in the last 30 days",
        one.recent_customers,
    )
    return said % {"customers": f"{one.recent_customers:,}"}


def _asked(one: Proposed, tag: Tag) -> str:
    """The tag, who or what put it on and since when; what was learnt of its wearers."""
    by = tag.rule or (tag.given_by.name if tag.given_by else "")
    values = {"tag": tag.name, "by": by, "day": f"{timezone.localtime(tag.recorded_at):%Y-%m-%d}"}
    if by:
        said = gettext("Her tag “%(tag)s” (%(by)s, %(day)s) asks for it") % values
    else:
        said = gettext("Her tag “%(tag)s” (%(day)s) asks for it") % values
    if one.group is None:
        return said
    learnt = gettext("%(customers)s of %(members)s who wear it had it, at least %(lift)s times as often as others")
    lift = f"{(one.group.lift_low_milli or 0) / 1_000:.1f}"
    learnt %= {**_counts(one.group), "lift": lift}
    return gettext("%(reason)s: %(evidence)s") % {"reason": said, "evidence": learnt}


def _of_group(group: Group) -> str:
    values = {**_counts(group), "days": RECENT_DAYS}
    if group.trait == Trait.AGE:
        said = gettext("%(customers)s of %(members)s customers aged %(group)s had it in the last %(days)s days")
        return said % {**values, "group": GroupWords().of(group.trait, group.value)}
    if group.trait == Trait.GENDER:
        said = gettext("%(customers)s of %(members)s customers (%(group)s) had it in the last %(days)s days")
        return said % {**values, "group": GroupWords().of(group.trait, group.value)}
    if group.trait == HOME:
        return gettext("%(customers)s of %(members)s customers of her store had it in the last %(days)s days") % values
    assert group.trait == ALL
    return gettext("%(customers)s of %(members)s customers had it in the last %(days)s days") % values


def _counts(group: Group) -> dict[str, str]:
    return {"customers": f"{group.customers:,}", "members": f"{group.members:,}"}
