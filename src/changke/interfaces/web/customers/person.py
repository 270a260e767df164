"""One customer from all sides, now or as of a day: who she is, where she stands and why, her worth, her story."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import Value
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_GET

from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.facts.customers.past import adviser_at, adviser_known_since
from changke.facts.customers.queries import customer_in, family_of, is_visitor, phone_of
from changke.facts.events.models import Event
from changke.facts.purchases.models import Receipt, ReceiptKind
from changke.facts.referrals.queries import spoken_of
from changke.facts.visits.models import Visit
from changke.foundation.access.capabilities import Capability
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date, start_of_day
from changke.interfaces import proposals, words
from changke.interfaces.referrals import referrals_of
from changke.interfaces.web import current, formats, pictures
from changke.interfaces.web.answers import answer, wants_part
from changke.interfaces.web.customers import own_fields, privacy, timeline
from changke.interfaces.web.customers.happenings import Asked as AskedStory
from changke.interfaces.web.customers.happenings import Happening, read_position
from changke.interfaces.web.customers.lists import words_of
from changke.interfaces.web.customers.measures import (
    BROUGHT,
    NAMES,
    VALUE,
    called,
    inside,
    measure,
    measures,
    say,
    speaker,
    with_names,
)
from changke.interfaces.web.customers.tags import Shown, shown_at, shown_now
from changke.profiles.affinity.queries import Proposed, proposed_to
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.rules import LifecycleModel, Rule
from changke.profiles.lifecycle.services.explain import Asked, Explanation, explain
from changke.profiles.lifecycle.services.publish import publish_models


@dataclass(frozen=True)
class Looked:
    """What the address asks for: as of which day, by which model, which part of the timeline."""

    as_of: dt.date
    past: bool
    model: LifecycleModel
    models: list[LifecycleModel]
    """All in use; `model` is one of them."""
    kind: str


@require_GET
def show(request: HttpRequest, customer_id: int) -> HttpResponse:
    scope = current.scope_for(request, Capability.CUSTOMER_VIEW)
    customer = customer_in(scope, customer_id)
    if customer.pk != customer_id:  # a record that is read as another: an old link or bookmark leads to the person
        return redirect("customer", customer.pk)
    family = family_of(customer.pk)
    now = timezone.now()
    chain = current.chain(request)
    time_zone = customer.home_store.time_zone if customer.home_store else chain.time_zone
    today = business_date(now, time_zone)
    looked = _looked(request, customer, today)
    context = {"customer": customer, "looked": looked, "nav": "customers", "is_visitor": is_visitor(scope, customer)}
    if request.GET.get("part") == "past":
        return answer(
            request,
            "customers/person.html",
            context | _past(customer, family, looked, chain, now),
            part="customers/_past.html",
        )
    spoken = spoken_of(family)
    context |= _happened(request, customer, family, looked, time_zone, scope, spoken)
    if wants_part(request):
        part = "_timeline_page.html" if "before" in request.GET else "_timeline.html"
        return answer(request, "customers/person.html", context, part=f"customers/{part}")
    explanation = _explained(customer, looked, chain, now, history=False)
    context["own_fields"] = own_fields.shown(customer.pk, current.staff(request).role)
    context |= _who(customer, family, today) | _stands(explanation, looked) | _worth(explanation)
    context["rhythm"], context["rhythm_said"] = _rhythm(family, explanation, looked)
    context |= _allowed(customer, family, time_zone, now)
    context |= _advised(customer, looked, time_zone)
    context["referrals"] = referrals_of(
        customer, scope=scope, today=looked.as_of, brought_some=bool(context["has_brought"]), spoken=spoken
    )
    context["proposed"] = [] if looked.past else _proposed(customer, personal=bool(context["personal"]))
    context |= {"today": today, "tags": _tags(customer, looked, time_zone), "models": _models(explanation, looked)}
    return answer(request, "customers/person.html", context)


def _looked(request: HttpRequest, customer: Customer, today: dt.date) -> Looked:
    """Addresses may be old or typed by hand: a day outside her life becomes the nearest inside it."""
    models = models_in_use()
    if not models:  # the first customer of a new chain, before the follower has computed anybody
        publish_models(current.chain(request), by=current.by(request), now=timezone.now())
        models = models_in_use()
    model = next((one for one in models if one.key == request.GET.get("model")), models[0])
    try:
        day = dt.date.fromisoformat(request.GET.get("as_of", ""))
    except ValueError:
        day = today
    day = min(max(day, customer.known_on), today)
    kind = request.GET.get("kind", "")
    return Looked(day, day < today, model, models, kind if kind in timeline.KINDS else "")


def _who(customer: Customer, family: tuple[int, ...], today: dt.date) -> dict[str, Any]:
    phone = phone_of(customer)
    known_by = Identifier.objects.filter(customer__in=family, kind=IdentifierKind.EXTERNAL).order_by("id")
    return {
        "phone": phone,
        "birthday": _birthday(customer, today),
        "numbers": [one.value for one in known_by[:3]],
        "gender": str(words.GENDERS[customer.gender]) if customer.gender else "",
        "known_since": customer.known_on,
        "records": len(family),
    }


def _birthday(customer: Customer, today: dt.date) -> str:
    month, day, year = customer.birth_month, customer.birth_day, customer.birth_year
    said = f"{month:02}-{day:02}" if month and day else ""
    if year and not said:
        return str(year)
    if year and month and day:
        age = today.year - year - ((today.month, today.day) < (month, day))
        return gettext("%(birthday)s, %(age)s years old") % {"birthday": said, "age": age}
    return said


def _allowed(customer: Customer, family: tuple[int, ...], zone: str, now: dt.datetime) -> dict[str, Any]:
    """What she consents to, and what she asked for on her own page in the last two months."""
    since = now - dt.timedelta(days=60)
    asked = Event.objects.filter(customer__in=family, kind="data.requested", happened_at__gt=since)
    latest = asked.order_by("-happened_at").first()
    said = words.REQUESTS.get(str(latest.data.get("what"))) if latest else None
    consents, personal = privacy.summary(customer, family, zone=zone, now=now)
    return {
        "consents": consents,
        "personal": personal,
        "asked": str(said) % {"day": f"{latest.business_date:%Y-%m-%d}"} if latest and said else "",
    }


@dataclass(frozen=True)
class Question:
    """One rule of the model that was asked: its condition in words, and what is known of her."""

    stage: str
    stage_words: str
    fits: bool
    asked: str
    known: list[tuple[str, str]]


def _stands(explanation: Explanation, looked: Looked) -> dict[str, Any]:
    language = get_language() or "zh-hans"
    stage_words = words_of(explanation.model)
    stage = explanation.model.stage(explanation.stage)
    group = explanation.attributes.get("value_group")
    return {
        "stage": explanation.stage,
        "stage_words": stage_words[explanation.stage],
        "reason": explanation.reason(language, show=inside),
        "missing": stage.missing.get(language, "") if stage.missing else "",
        "questions": [
            _question(rule, asked, stage_words)
            for rule, asked in zip(explanation.model.rules, explanation.asked, strict=False)
        ],
        "model_words": looked.model.words.get(language, looked.model.key),
        "value_group": group,
        "value_group_words": str(words.VALUE_GROUPS[group]) if group else "",
    }


def _question(rule: Rule, asked: Asked, stage_words: Mapping[str, str]) -> Question:
    known = {line.attribute: say(line.attribute, line.known) for line in asked.lines}
    columns = {leaf.column.name: leaf.column for leaf in rule.condition.leaves()} if rule.condition else {}
    return Question(
        asked.stage,
        stage_words[asked.stage],
        asked.fits,
        speaker().say(rule.said) if rule.said else gettext("everybody else"),
        [(called(columns[attribute]), value) for attribute, value in known.items()],
    )


def _worth(explanation: Explanation) -> dict[str, Any]:
    attributes = with_names(explanation.attributes)
    return {
        "value": measures(VALUE, attributes),
        "has_brought": bool(attributes.get("referred_customers")),
        "brought_value": measures(BROUGHT, attributes),
        "measures": [measure(name, attributes) for name in NAMES],
        "overdue": attributes.get("overdue_days") or 0,
        "expected": attributes.get("expected_next_visit_on"),
        "usual_gap": attributes.get("usual_gap_days"),
        "silent_days": attributes.get("silent_days"),
    }


def _rhythm(family: tuple[int, ...], explanation: Explanation, looked: Looked) -> tuple[pictures.Rhythm | None, str]:
    """The last year's purchases and visits on a line, with the day she is expected."""
    since = looked.as_of - dt.timedelta(days=pictures.LOOK_BACK_DAYS + 40)
    days: Mapping[str, Any] = {
        "customer_id__in": family,
        "withdrawn_by__isnull": True,
        "business_date__gt": since,
        "business_date__lte": looked.as_of,
    }
    bought = Receipt.objects.filter(**days).exclude(kind=ReceiptKind.RETURN).values_list("business_date", Value(True))
    found = set(bought.union(Visit.objects.filter(**days).values_list("business_date", Value(False))))
    purchases = sorted(day for day, is_purchase in found if is_purchase)
    visited = sorted(day for day, is_purchase in found if not is_purchase)
    expected: dt.date | None = explanation.attributes.get("expected_next_visit_on")
    gap: int | None = explanation.attributes.get("usual_gap_days")
    if expected is None and not purchases and not visited:
        return None, ""
    language = get_language() or "zh-hans"
    picture = pictures.rhythm(
        purchases=purchases,
        visits=visited,
        expected=expected,
        tolerance_days=max((gap or 0) // 4, 2),
        today=looked.as_of,
        language=language,
    )
    told = gettext("%(days)s days with purchases in the last year") % {"days": formats.number(len(purchases))}
    if expected:
        told += gettext("; next visit expected on %(day)s") % {"day": f"{expected:%Y-%m-%d}"}
    return picture, told


def _tags(customer: Customer, looked: Looked, time_zone: str) -> list[Shown]:
    """Today's tags, or those she wore when the day ended."""
    if not looked.past:
        return shown_now([customer.pk], time_zone)
    return shown_at([customer.pk], _end(looked.as_of, time_zone), time_zone)


def _advised(customer: Customer, looked: Looked, time_zone: str) -> dict[str, Any]:
    """Who looks after her, or did when the day ended; `adviser_unknown` where nobody had written that down yet."""
    if not looked.past:
        return {"adviser": customer.adviser, "adviser_unknown": False}
    end, since = _end(looked.as_of, time_zone), adviser_known_since([customer.pk])
    unknown = since is not None and since > end
    return {"adviser": adviser_at([customer.pk], end), "adviser_unknown": unknown}


def _proposed(customer: Customer, *, personal: bool) -> list[tuple[Proposed, str]]:
    """What she may like next, each with its reason in words."""
    return [(one, proposals.why(one)) for one in proposed_to(customer, personal=personal)]


def _end(day: dt.date, time_zone: str) -> dt.datetime:
    """The last moment of the day."""
    return start_of_day(day + dt.timedelta(days=1), time_zone) - dt.timedelta(microseconds=1)


def _models(explanation: Explanation, looked: Looked) -> list[tuple[str, str, str]]:
    """Key, words, and her stage in each model in use."""
    language = get_language() or "zh-hans"
    return [
        (one.key, one.words.get(language, one.key), words_of(one)[explanation.stages[one.key]]) for one in looked.models
    ]


def _explained(
    customer: Customer, looked: Looked, chain: Chain, now: dt.datetime, *, history: bool = True
) -> Explanation:
    """Where she stands, with the chain and the models as they were read for this page."""
    return explain(
        customer.pk,
        looked.as_of,
        now=now,
        model=looked.model.key,
        history=history,
        chain=chain,
        models=looked.models,
    )


def _past(
    customer: Customer, family: tuple[int, ...], looked: Looked, chain: Chain, now: dt.datetime
) -> dict[str, Any]:
    """The bands of her life: computed from facts, day by day, so it comes after the page."""
    explanation = _explained(customer, looked, chain, now)
    stage_words = words_of(looked.model)
    periods = [
        pictures.Period(band.stage, stage_words[band.stage], band.first, band.last + dt.timedelta(days=1))
        for band in explanation.bands
    ]
    days = {"customer_id__in": family, "withdrawn_by__isnull": True, "business_date__lte": looked.as_of}
    visits = set(Visit.objects.filter(**days).values_list("business_date", flat=True))
    visits |= set(
        Receipt.objects.filter(**days).exclude(kind=ReceiptKind.RETURN).values_list("business_date", flat=True)
    )
    return {
        "ribbon": pictures.ribbon(periods, sorted(visits), get_language() or "zh-hans"),
        "bands": [(one.stage, one.words, one.first, (one.until - one.first).days) for one in reversed(periods)],
        "since": explanation.since,
    }


@dataclass(frozen=True)
class Month:
    """A month of the timeline. `continued` where the page before already named it."""

    first: dt.date
    happenings: list[Happening]
    continued: bool


def _happened(
    request: HttpRequest,
    customer: Customer,
    family: tuple[int, ...],
    looked: Looked,
    time_zone: str,
    scope: Scope,
    spoken: bool,
) -> dict[str, Any]:
    position = read_position(request.GET.get("before", ""))
    asked = AskedStory(
        customer_id=customer.pk,
        family=family,
        kind=looked.kind,
        model=looked.model.key,
        stage_words=words_of(looked.model),
        time_zone=time_zone,
        scope=scope,
        role=current.staff(request).role,
        as_of=looked.as_of if looked.past else None,
        position=position,
        referrals=spoken,
    )
    found, behind = timeline.page_of(asked)
    before = business_date(position.at, time_zone).replace(day=1) if position else None
    months = [
        Month(first, list(some), first == before)
        for first, some in groupby(found, key=lambda one: one.on.replace(day=1))
    ]
    return {
        "months": months,
        "behind": behind,
        "kinds": [(key, str(said)) for key, said in timeline.KINDS.items()],
        "timeline_url": reverse("customer", args=[customer.pk]),
        "timeline_query": _query(looked, kind=""),
        "customer": customer,
        "looked": looked,
    }


def _query(looked: Looked, **changes: str) -> str:
    """The address's own words, kept on every link of the page."""
    said = {"as_of": looked.as_of.isoformat() if looked.past else "", "model": looked.model.key} | changes
    return "&".join(f"{name}={value}" for name, value in said.items() if value)
