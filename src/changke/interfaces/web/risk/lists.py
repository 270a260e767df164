"""Who may be leaving, the dearest first, with one tap for what came of turning to them."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET, require_POST

from changke.decisions.next_best_action.queries import last_followups
from changke.decisions.next_best_action.rules import BECAUSE, Followup
from changke.decisions.next_best_action.services import record_followup
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in, phones_of
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.interfaces import words, words_of_lines
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast, wants_part
from changke.interfaces.web.doors import needs
from changke.interfaces.web.lifecycle.colours import colours_of
from changke.interfaces.web.today.views import source_key
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.risk.models import ChurnWarning, RiskRule
from changke.profiles.risk.queries import PAGE, Asked, by_value, ends, rule_in_use, service_lines, tallies, warnings_of
from changke.profiles.risk.rules import CAUSES, suggestion

TAPS = ("done", "not_reached", "lost")
LOOK_BACK_DAYS = 365
"""How far back the page counts what became of warnings."""


@dataclass(frozen=True)
class Row:
    """One warning in words. Money in minor units."""

    warning: ChurnWarning
    customer: Customer
    phone: str
    stage: str
    """In the words of the default model."""
    colour: str
    why: str
    fired: str
    evidence: tuple[str, ...]
    suggestion: str | Promise
    outcome: str | Promise
    last: Followup | None
    ended: str | Promise

    @property
    def after(self) -> int:
        return self.last.event_id if self.last else 0


@require_GET
@needs(Capability.CUSTOMER_VIEW)
def show(request: HttpRequest) -> HttpResponse:
    scope, chain, now = current.scope(request), the_chain(), timezone.now()
    asked = read_asked(request.GET)
    rows = warnings_of(scope, asked)
    found = list(by_value(rows, _after(request.GET.get("after", "")))[: PAGE + 1])
    shown, standing = found[:PAGE], rule_in_use()
    open_ones = tallies(warnings_of(scope, Asked()))
    became = ends(scope, since=business_date(now, chain.time_zone) - dt.timedelta(days=LOOK_BACK_DAYS))
    last = shown[-1] if len(found) > PAGE else None
    context = {
        "nav": "risk",
        "asked": asked,
        "standing": standing,
        "standing_words": rule_said(standing) if standing else "",
        "rows": list(_rows(shown, chain, now)),
        "after": f"{last.value_at_risk_minor}~{last.pk}" if last else "",
        "open": sum(one.warnings for one in open_ones),
        "at_risk_minor": sum(one.value_minor for one in open_ones),
        "facets": [(one.cause or "unknown", words.CAUSE_LABELS[one.cause], one.warnings) for one in open_ones],
        "came_back": became.get("came_back", 0),
        "came_after": became.get("came_after", 0),
        "lost": became.get("lost", 0),
        "stage_options": _stages(),
        "store_options": [(one.pk, one.name) for one in current.stores(request)],
        "adviser_options": _advisers(scope),
        "cause_options": [("unknown", words.CAUSE_LABELS[""]), *((one, words.CAUSE_LABELS[one]) for one in CAUSES)],
        "line_options": [("whole", gettext("All of her")), *((one.pk, str(one)) for one in service_lines())],
        "line": "whole" if asked.line == 0 else asked.line or "",
        "end_options": [(key, said) for key, said in words.WARNING_ENDS.items() if key],
        "pick_store": current.chosen_store(request) is None,
        "cause": "unknown" if asked.cause == "" else asked.cause or "",
        **_shared(),
    }
    return answer(request, "risk/list.html", context)


@require_POST
@needs(Capability.FACTS_RECORD)
def tick(request: HttpRequest, customer_id: int) -> HttpResponse:
    """What came of turning to her. `after` makes two taps on the same row one."""
    chain, now = the_chain(), timezone.now()
    customer = customer_in(current.scope_for(request, Capability.FACTS_RECORD), customer_id)
    outcome = request.POST.get("outcome", "")
    if outcome not in TAPS:
        raise Invalid(field="outcome", reason="choose one of %(choices)s", choices=", ".join(TAPS))
    after = request.POST.get("after", "")
    event = record_followup(
        customer,
        reason="at_risk",
        outcome=outcome,
        because=request.POST.get("because", "") if outcome == "lost" else "",
        by=current.staff(request),
        source_key=source_key(
            customer_id, int(after) if after.isascii() and after.isdigit() and len(after) < 18 else 0
        ),
        chain=chain,
        now=now,
    )
    said = str(event.data["outcome"])
    text = gettext("%(name)s: %(outcome)s") if said == outcome else gettext("Somebody was faster: %(outcome)s.")
    toast(request, text % {"name": customer, "outcome": words.OUTCOMES[said]})
    if not wants_part(request):
        return go(request, reverse("risk"))
    warning = _tapped(customer.pk, request.POST.get("warning", ""))
    row = next(_rows([warning], chain, now), None) if warning else None
    return answer(request, "risk/list.html", {"row": row, **_shared()}, part="risk/_row.html")


def _tapped(customer_id: int, number: str) -> ChurnWarning | None:
    """The warning whose row was tapped; of an old page the latest."""
    hers = ChurnWarning.objects.filter(customer_id=customer_id).select_related("rule", "line__category", "line__item")
    return hers.filter(pk=_number(number) or 0).first() or hers.order_by("-opened_on", "-pk").first()


def read_asked(query: Mapping[str, str]) -> Asked:
    """An address may be old or typed by hand: what it says wrongly counts as not said."""
    cause, ended = query.get("cause", ""), query.get("ended", "")
    return Asked(
        store=_number(query.get("store", "")),
        adviser=_number(query.get("adviser", "")),
        stage=stage if (stage := query.get("stage", "")).isidentifier() and len(stage) < 40 else "",
        cause="" if cause == "unknown" else cause if cause in CAUSES else None,
        ended=ended if ended in words.WARNING_ENDS or ended == "any" else "",
        line=0 if query.get("line") == "whole" else _number(query.get("line", "")),
    )


def _rows(found: Sequence[ChurnWarning], chain: Chain, now: dt.datetime) -> Iterator[Row]:
    ids = [one.customer_id for one in found]
    people = Customer.objects.select_related("home_store", "adviser").in_bulk(ids)
    about = {
        row[0]: row[1:] for row in Profile.objects.filter(pk__in=ids).values_list("customer_id", "stage", "value_group")
    }
    phones, today = phones_of(ids), business_date(now, chain.time_zone)
    taps = last_followups(ids, today, chain.time_zone)
    stages, colours = dict(_stages()), _colours()
    for one in found:
        if (customer := people.get(one.customer_id)) is None:
            continue
        stage, group = about.get(one.customer_id, ("", None))
        last = taps.get(one.customer_id)
        if last is not None and (last.day < one.opened_on or last.outcome == "reopened"):
            told = None
        else:
            told = last
        yield Row(
            one,
            customer,
            phones.get(one.customer_id, ""),
            stages.get(stage or "", stage or ""),
            colours.get(stage or "", ""),
            why(one, today),
            fired(one),
            evidence(one, today),
            words.SUGGESTIONS[
                suggestion(cause=one.cause, purchases=one.purchases, value_group=group, of_line=one.line is not None)
            ],
            words.OUTCOMES[told.outcome] if told else "",
            last,
            words.WARNING_ENDS[one.ended] if one.ended else "",
        )


def why(one: ChurnWarning, today: dt.date) -> str:
    """The sentence of a warning, without its causes."""
    if one.line is not None:
        return words_of_lines.why(one, today)
    return words.at_risk(
        silent_days=((one.ended_on or today) - one.silent_since).days,
        outlook_bp=one.outlook_bp,
        horizon_days=one.rule.horizon_days,
        expected_on=one.expected_on,
        today=today,
    )


def fired(one: ChurnWarning) -> str:
    """Which part of its rule warned."""
    if one.line is not None:
        return words_of_lines.fired(one)
    return words.fired(one.fired, one.rule.threshold, one.rule.latest_days)


def rule_said(rule: RiskRule) -> str:
    return words.risk_rule(rule.kind, rule.threshold, rule.horizon_days, rule.latest_days)


def evidence(one: ChurnWarning, today: dt.date) -> tuple[str, ...]:
    """Each cause with the day of its fact, the weightiest first."""
    language = get_language() or "zh-hans"
    return tuple(
        gettext("%(cause)s (%(day)s)")
        % {
            "cause": words.CHURN_CAUSES[fact["cause"]],
            "day": formats.day(dt.date.fromisoformat(fact["on"]), today, language),
        }
        for fact in one.causes
        if fact["cause"] in words.CHURN_CAUSES
    )


def _shared() -> dict[str, object]:
    return {"why_options": [(one, words.CAUSE_LABELS[one]) for one in BECAUSE if one]}


def _stages() -> list[tuple[str, str]]:
    language = get_language() or "zh-hans"
    models = models_in_use()
    return [(stage.key, stage.words[language]) for stage in models[0].stages] if models else []


def _colours() -> dict[str, str]:
    models = models_in_use()
    return colours_of(models[0]) if models else {}


def _advisers(scope: Scope) -> list[tuple[int, str]]:
    people = Staff.objects.filter(is_active=True).order_by("name")
    if scope.places is not None:
        people = people.filter(stores__in=scope.places).distinct()
    return list(people.values_list("pk", "name")[:200])


def _after(text: str) -> tuple[int, int] | None:
    value, mark, pk = text.partition("~")
    plain = value.removeprefix("-")
    if mark and plain.isascii() and plain.isdigit() and len(plain) < 18 and (number := _number(pk)) is not None:
        return int(value), number
    return None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:19]) < 2**63 and len(text) < 19 else None
