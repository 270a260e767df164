"""Whom is it about? Four digits, a name or its initials; below, who was in the store today."""

from dataclasses import dataclass

from django.http import HttpResponse

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import LIVING, customer_in, matching, phones_of
from changke.facts.customers.rules import masked_phone
from changke.facts.purchases.models import Receipt
from changke.facts.visits.models import Visit
from changke.foundation.organisation.scope import Scope
from changke.foundation.periods import business_date
from changke.interfaces.web.answers import answer
from changke.interfaces.web.record.setting import Setting
from changke.profiles.attributes.models import Profile

MOST_FOUND = 12
"""More do not fit on a phone's screen above its keyboard; two more letters help better than scrolling."""
RECENT = 6


@dataclass(frozen=True)
class Found:
    pk: int
    name: str
    phone: str
    store: str
    stage: str
    allergies: str


def pick(setting: Setting, *, title: object, walk_in: bool = False) -> HttpResponse:
    """The first step of a form that was opened without a customer."""
    text = setting.given("q")
    scope = setting.scope
    found = find(text, scope) if text else []
    context = {
        "nav": "record",
        "title": title,
        "here": setting.request.path,
        "q": text,
        "found": found,
        "next": setting.given("next"),
        "recent": [] if text else seen_today(setting, scope),
        "walk_in": walk_in,
    }
    return answer(setting.request, "record/pick.html", context, part="record/_found.html")


def find(text: str, scope: Scope) -> list[Found]:
    """Customers of the scope whom the text may mean."""
    rows = Customer.objects.for_scope(scope).filter(matching(text), **LIVING)
    return _cards(list(rows.order_by("pinyin", "id").values_list("pk", flat=True)[:MOST_FOUND]))


def chosen(scope: Scope, text: str) -> Customer | None:
    """The customer of this number, whom the scope must see; None where it is no number."""
    return customer_in(scope, int(text)) if text.isascii() and text.isdigit() and len(text) < 19 else None


def seen_today(setting: Setting, scope: Scope) -> list[Found]:
    """Who was in this store today, the latest first: most of what is written down is about them."""
    today = business_date(setting.now, setting.store.time_zone)
    moments: list[tuple[object, int]] = []
    for model in (Receipt, Visit):
        rows = model.objects.filter(
            store=setting.store, business_date=today, withdrawn_by__isnull=True, customer__isnull=False
        )
        moments += rows.order_by("-happened_at").values_list("happened_at", "customer_id")[: RECENT * 2]
    latest = list(dict.fromkeys(customer for _, customer in sorted(moments, reverse=True)))
    mine = set(Customer.objects.for_scope(scope).filter(pk__in=latest, **LIVING).values_list("pk", flat=True))
    return _cards([customer for customer in latest if customer in mine][:RECENT])


def _cards(ids: list[int]) -> list[Found]:
    phones = phones_of(ids)
    stages = dict(Profile.objects.filter(pk__in=ids).values_list("customer_id", "stage"))
    people = Customer.objects.select_related("home_store").in_bulk(ids)
    found = []
    for pk in ids:
        person, phone = people[pk], phones.get(pk, "")
        found.append(
            Found(
                pk=pk,
                name=person.name,
                phone=masked_phone(phone) if phone else "",
                store=person.home_store.name if person.home_store else "",
                stage=stages.get(pk, ""),
                allergies=person.allergies,
            )
        )
    return found
