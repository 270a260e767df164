"""What she needs and prefers: by days, ties and returns by hand; by night, alone, and after the catalogue changed."""

import datetime as dt
from pathlib import Path

import pytest

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.services.merge import merge
from changke.facts.purchases.models import Line
from changke.interfaces.web.customers.measures import say
from changke.profiles.attributes.models import Profile
from changke.profiles.lifecycle.services import refresh_all, refresh_customers
from tests.profiles.world import NOW, TODAY, Book, make_chain, make_stores

pytestmark = pytest.mark.django_db(transaction=True)

KINDS = {"face": "service", "hands": "service", "cream": "product", "card": "card", "odd": "other"}
Bought = tuple[int, str, int]
"""How many days ago, what, for how much; a minus: a use."""

CASES: dict[str, tuple[list[Bought], tuple[str | None, int | None, str | None]]] = {
    "nothing": ([], (None, None, None)),
    "a card is no need": ([(3, "card", 900)], (None, None, None)),
    "an item of no category is none": ([(3, "odd", 900)], (None, None, None)),
    "most days, not most money": ([(3, "face", 1), (4, "face", 1), (5, "cream", 900)], ("face", 6_666, "face")),
    "one day is one, however many lines": ([(3, "face", 1), (3, "face", 1), (4, "cream", 9)], ("cream", 5_000, "face")),
    "of equal days the money": ([(3, "face", 1), (9, "hands", 2)], ("hands", 5_000, "hands")),
    "of equal money the newest": ([(9, "hands", 2), (3, "face", 2)], ("face", 5_000, "face")),
    "on one day the smaller number": ([(3, "hands", 2), (3, "face", 2)], ("face", 10_000, "face")),
    "a product, and the service beside": (
        [(3, "cream", 1), (4, "cream", 1), (5, "hands", 1)], ("cream", 6_666, "hands"),
    ),
    "no service": ([(3, "cream", 1)], ("cream", 10_000, None)),
    "a year ago counts no more": ([(365, "face", 1), (366, "face", 1), (364, "hands", 1)], ("hands", 10_000, "hands")),
    "nor does what is to come": ([(-1, "face", 1), (1, "hands", 1)], ("hands", 10_000, "hands")),
}  # fmt: skip


def told(customer: int) -> tuple[str | None, int | None, str | None]:
    names = dict(Category.objects.values_list("pk", "name"))
    row = Profile.objects.values_list("need_group_id", "need_days_bp", "service_preference_id").get(pk=customer)
    return names.get(row[0]), row[1], names.get(row[2])


def test_needs_by_night_and_alone(tmp_path: Path) -> None:
    make_chain()
    store, book, mirror = make_stores(1)[0], Book(), tmp_path / "mirror.duckdb"
    groups = {name: Category.objects.create(name=name) for name in ("face", "hands", "cream")}
    items = {
        name: Item.objects.create(code=name, name=name, kind=kind, category=groups.get(name))
        for name, kind in KINDS.items()
    }
    items["card"].category = groups["face"]
    items["card"].save()
    people = {}

    def buys(name: str, ago: int, what: str, amount: int, **fields: object) -> None:
        receipt = book.receipt(people[name], store, TODAY - dt.timedelta(days=ago), **fields)  # type: ignore[arg-type]
        receipt.save(force_insert=True)
        Line.objects.create(receipt=receipt, position=1, item=items[what], amount_minor=amount)

    for name, (bought, _) in CASES.items():
        people[name] = book.customer(store, TODAY - dt.timedelta(days=900), name=name)
        for place, (ago, what, amount) in enumerate(bought):
            buys(name, ago, what, amount, kind="use" if place % 2 else "sale")
    people["gave it back"] = book.customer(store, TODAY - dt.timedelta(days=900))
    buys("gave it back", 9, "face", 900, number="A1")
    buys("gave it back", 8, "hands", 1)
    back = book.receipt(people["gave it back"], store, TODAY, "return", original_number="A1")
    back.save(force_insert=True)
    expected = {name: wanted for name, (_, wanted) in CASES.items()} | {"gave it back": ("hands", 10_000, "hands")}

    def all_told() -> dict[str, tuple[str | None, int | None, str | None]]:
        return {name: told(one.pk) for name, one in people.items() if name in expected}

    refresh_all(now=NOW, mirror=mirror, months=0)
    assert all_told() == expected, "by night, over the mirror"
    Profile.objects.all().delete()
    for one in people.values():
        refresh_customers([one.pk], now=NOW)
    assert all_told() == expected, "each alone, over PostgreSQL"
    Profile.objects.all().delete()
    refresh_customers([one.pk for one in people.values()], now=NOW)
    assert all_told() == expected, "together, over their facts"
    assert say("need_group_id", groups["face"].pk) == "face"

    merge(people["no service"].pk, people["a year ago counts no more"].pk, now=NOW)
    items["hands"].category = groups["cream"]
    items["hands"].save()
    refresh_all(now=NOW, mirror=mirror, months=0)
    assert told(people["a year ago counts no more"].pk) == ("cream", 10_000, "cream"), "merged, and moved"
    assert told(people["of equal days the money"].pk) == ("cream", 5_000, "cream"), "the catalogue as it is now"
