"""Parts of a segment's page that are asked for by themselves: its portrait beside everybody, and what it shares with
another segment."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.views.decorators.http import require_GET

from changke.facts.consents.rules import Channel
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import there, words_for
from changke.interfaces.words import CHANNELS
from changke.profiles.segments import queries
from changke.profiles.segments.models import Segment
from changke.profiles.segments.queries import Portrait


@dataclass(frozen=True)
class Bar:
    """One share of the group beside the same share of everybody."""

    words: str
    share: float
    everybody: float


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def portrait(request: HttpRequest, key: str) -> HttpResponse:
    scope, words, now = current.scope(request), words_for(request), timezone.now()
    condition = queries.condition_of(there(key), words)
    hers = queries.portrait(condition, words, now=now, scope=scope)
    everybody = queries.portrait(None, words, now=now, scope=scope)
    decades = {decade: gettext("%(decade)ss") % {"decade": decade} for decade in {**hers.ages, **everybody.ages}}
    context = {
        "numbers": _numbers(hers, everybody),
        "groups": [
            (gettext("Reachable by"), _bars(_channels(hers), _channels(everybody), hers, everybody)),
            (gettext("Age"), _bars({decades[one]: n for one, n in hers.ages.items()},
                                   {decades[one]: n for one, n in everybody.ages.items()}, hers, everybody)),
            (gettext("Source"), _bars(hers.sources, everybody.sources, hers, everybody)),
            (gettext("Need group"), _bars(hers.needs, everybody.needs, hers, everybody)),
            (gettext("Services of a year"), _bars(hers.services, everybody.services, hers, everybody)),
        ],
    }  # fmt: skip
    return answer(request, "segments/_portrait.html", context)


def _numbers(hers: Portrait, everybody: Portrait) -> list[tuple[str, str, str]]:
    """Name, the group's, everybody's."""
    language, currency = get_language() or "zh-hans", formats.currency.get()

    def money(minor: int | None) -> str:
        return "–" if minor is None else formats.money(minor, currency, language)

    def each(total: int, customers: int) -> int | None:
        return round(total / customers) if customers else None

    def days(gap: int | None) -> str:
        if gap is None:
            return "–"
        return ngettext("%(days)s day", "%(days)s days", gap) % {"days": formats.number(gap)}

    def visits(one: Portrait) -> str:
        return formats.number(one.visits / one.customers, 1) if one.customers else "–"

    return [
        (gettext("Customers"), formats.number(hers.customers), formats.number(everybody.customers)),
        (gettext("Spend of a year, each"), money(each(hers.spend_minor, hers.customers)),
         money(each(everybody.spend_minor, everybody.customers))),
        (gettext("Average ticket"), money(hers.ticket_minor), money(everybody.ticket_minor)),
        (gettext("Visits of a year, each"), visits(hers), visits(everybody)),
        (gettext("Reachable (agreed to marketing, address known)"), formats.number(hers.reachable),
         formats.number(everybody.reachable)),
        (gettext("Usual gap"), days(hers.gap_days), days(everybody.gap_days)),
    ]  # fmt: skip


def _channels(one: Portrait) -> dict[str, int]:
    return {str(CHANNELS[Channel(channel)]): customers for channel, customers in sorted(one.reachable_by.items())}


def _bars(hers: object, everybody: object, one: Portrait, whole: Portrait) -> list[Bar]:
    mine, all_ = dict(hers), dict(everybody)  # type: ignore[call-overload]  # words -> customers, of any mapping
    return [
        Bar(str(words), count / one.customers if one.customers else 0.0,
            all_.get(words, 0) / whole.customers if whole.customers else 0.0)
        for words, count in mine.items()
    ]  # fmt: skip


@require_GET
@needs(Capability.ANALYTICS_VIEW)
def overlap(request: HttpRequest, key: str) -> HttpResponse:
    """`?other=`: how many are in this one, in that one, in both."""
    one, asked = there(key), request.GET.get("other", "")
    if not asked:
        return answer(request, "segments/_overlap.html")
    other = there(asked)
    found = queries.overlap(one, other, words_for(request), now=timezone.now(), scope=current.scope(request))
    context = {
        "found": found,
        "only_one": found.one - found.both,
        "only_other": found.other - found.both,
        "combined": [(said, urlencode({"text": text})) for said, text in _combined(one, other)],
    }
    return answer(request, "segments/_overlap.html", context)


def _combined(one: Segment, other: Segment) -> list[tuple[str, str]]:
    """What can be made of two groups: the words of the button, and the condition it begins with."""
    first, second = f"segment has {one.key}", f"segment has {other.key}"
    return [
        (gettext("New segment: in both"), f"{first} and {second}"),
        (gettext("In either"), f"{first} or {second}"),
        (gettext("Here, not there"), f"{first} and not {second}"),
    ]
