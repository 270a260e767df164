"""From the columns of an invented world to the tables of facts: an importer whose source is a seed."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection

from changke.engine import synthetic
from changke.engine.synthetic import Table, World
from changke.facts.catalog.models import Category
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.customers import rules as names
from changke.facts.customers.services.names import NewName, write_many
from changke.facts.fields.services import define
from changke.foundation.access.models import Role
from changke.foundation.access.services import add_staff
from changke.foundation.audit.rules import system
from changke.foundation.database.copy import copy_columns, reserve_ids
from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.services import add_region, add_store, found_chain
from changke.interfaces.demo.brought import bring_friends
from changke.interfaces.demo.habits import set_up_habits
from changke.interfaces.demo.logins import Login, keep_logins
from changke.interfaces.demo.twice import write_down_twice

SEED = 20261121
BY = system("changke demo")
NOTE_KINDS = {"note": "note.written", "complaint": "complaint.received"}

Advance = Callable[[int, int], None]
"""Called with rows done and rows in all."""


class ChainExists(DomainError):
    code, status = "chain_exists", 409
    message = "This data folder already holds a chain. Choose another one with --data, or start it with `changke up`."


@dataclass
class Ids:
    """Positions of the world -> ids of the database."""

    stores: list[Store]
    staff: list[int]
    items: list[int]
    customers: list[int]
    receipts: list[int]

    @staticmethod
    def at(ids: Sequence[int], position: int | None) -> int | None:
        return None if position is None else ids[position]


def create_demo(
    *,
    now: dt.datetime,
    secrets: Path,
    customers: int = 20_000,
    stores: int = 12,
    years: int = 3,
    seed: int = SEED,
    advance: Advance | None = None,
) -> list[Login]:
    """Invent a chain up to `now` and write it down as facts; who may log in, with the password kept in `secrets`."""
    if Chain.objects.exists():
        raise ChainExists
    world = synthetic.invent(
        seed, today=now.astimezone(dt.UTC).date(), customers=customers, stores=stores, years=years, until=now
    )
    logins = keep_logins(secrets)
    ids = _organisation(world, password=logins[0].password, now=now)
    meter = _Meter(world, advance)
    _customers(world, ids, meter, now=now)
    _own_fields(now)
    _receipts(world, ids, meter)
    _visits_and_openings(world, ids, meter, now=now)
    _stories(world, ids, meter)
    _consents(ids, now=now)
    bring_friends(now=now)
    set_up_habits(ids.stores, now=now)
    write_down_twice(ids.customers, now=now)
    return logins


class _Meter:
    """Adds up the rows of all tables."""

    def __init__(self, world: World, advance: Advance | None) -> None:
        tables: tuple[Table, ...] = (
            world.customers,
            world.receipts,
            world.lines,
            world.tenders,
            world.visits,
            world.openings,
            world.events,
        )
        self.total, self.done, self._advance = sum(map(len, tables)), 0, advance

    def __call__(self, rows: int) -> None:
        self.done += rows
        if self._advance:
            self._advance(self.done, self.total)


def _organisation(world: World, *, password: str, now: dt.datetime) -> Ids:
    # A newcomer is in with the printed password.
    found_chain(name=world.name, second_factor_required=False, by=BY, now=now)
    regions = [add_region(name=name, by=BY, now=now) for name in world.regions.name]
    stores = [
        add_store(
            code=row["code"],
            name=row["name"],
            region=regions[row["region"]],
            time_zone=row["time_zone"],
            opening_days=list(row["opening_days"]),
            by=BY,
            now=now,
        )
        for row in _dicts(world.stores)
    ]
    categories = [
        Category(name=row["name"], margin_basis_points=row["margin_basis_points"]) for row in _dicts(world.categories)
    ]
    category_ids = reserve_ids("facts_category", len(categories))
    copy_columns(
        "facts_category",
        ["id", "name", "margin_basis_points"],
        ((pk, one.name, one.margin_basis_points) for pk, one in zip(category_ids, categories, strict=True)),
    )
    item_ids = reserve_ids("facts_item", len(world.items))
    item_columns = ["code", "name", "kind", "price_minor", "unit_cost_minor", "usual_cycle_days"]
    copy_columns(
        "facts_item",
        ["id", "category_id", "is_active", *item_columns],
        (
            (pk, Ids.at(category_ids, row["category"]), True, *(row[column] for column in item_columns))
            for pk, row in zip(item_ids, _dicts(world.items), strict=True)
        ),
    )
    return Ids(stores, _staff(world, stores, password, now), item_ids, [], [])


def _staff(world: World, stores: list[Store], password: str, now: dt.datetime) -> list[int]:
    """Everybody who works there. Owner, headquarters, the first store's manager and adviser can log in."""
    open_doors = {Role.OWNER.value, Role.HQ.value, Role.MANAGER.value, Role.STAFF.value}
    found = []
    for row in _dicts(world.staff):
        here = [stores[row["store"]]] if row["store"] is not None else []
        enters = row["role"] in open_doors and row["left_on"] is None and (not here or here[0] == stores[0])
        if enters:
            open_doors.discard(row["role"])
        person = add_staff(
            username=row["role"] if enters else row["username"],
            name=row["name"],
            role=row["role"],
            password=password if enters else None,
            stores=here,
            phone=row["phone"],
            code=row["username"],
            is_active=row["left_on"] is None,
            by=BY,
            now=now,
        )
        found.append(person.pk)
    return found


SKIN = ["干性", "油性", "混合", "敏感"]


def _own_fields(now: dt.datetime) -> None:
    """Two fields of the chain's own, known of some: whoever tries the product sees what they are good for."""
    labels = {"zh-hans": "肤质", "en": "Skin type", "zh-hant": "膚質"}
    skin = define(key="skin", kind="choice", labels=labels, choices=SKIN, by=BY, now=now)
    labels = {"zh-hans": "结婚纪念日", "en": "Wedding day", "zh-hant": "結婚紀念日"}
    wedding = define(key="wedding", kind="date", labels=labels, by=BY, now=now)
    with connection.cursor() as sql:
        sql.execute(
            "INSERT INTO facts_fieldvalue (customer_id, field_id, text) "
            "SELECT id, %s, (%s::text[])[1 + id %% 4] FROM facts_customer WHERE id %% 3 = 0",
            [skin.pk, SKIN],
        )
        sql.execute(
            "INSERT INTO facts_fieldvalue (customer_id, field_id, day) "
            "SELECT id, %s, DATE '2008-01-01' + (id * 37 %% 5800)::int FROM facts_customer WHERE id %% 7 = 0",
            [wedding.pk],
        )


def _customers(world: World, ids: Ids, meter: _Meter, *, now: dt.datetime) -> None:
    ids.customers = reserve_ids("facts_customer", len(world.customers))
    known_since = _known_since(world)
    plain = ["gender", "birth_year", "birth_month", "birth_day", "occupation", "income_band", "city", "interests",
             "living", "allergies", "source"]  # fmt: skip
    columns = ["id", "name", "pinyin", "initials", "name_grams", "home_store_id", "adviser_id", "known_on",
               "is_active", "recorded_at", *plain]  # fmt: skip
    rows = list(zip(ids.customers, _dicts(world.customers), strict=True))

    def people() -> Iterator[tuple[Any, ...]]:
        for position, (pk, row) in enumerate(rows):
            yield (
                pk, row["name"], names.pinyin(row["name"]), names.initials(row["name"]), names.grams(row["name"]),
                ids.stores[row["home_store"]].pk, Ids.at(ids.staff, row["adviser"]),
                min(row["known_on"], known_since.get(position, row["known_on"])),
                True, now, *(row[column] for column in plain),
            )  # fmt: skip

    copy_columns("facts_customer", columns, people(), advance=meter)
    known_by = {"phone": "phone", "email": "email", "wecom_id": "wecom", "source_key": "external"}
    write_many(
        NewName(pk, kind, row[column], "demo" if kind == "external" else "")
        for pk, row in rows
        for column, kind in known_by.items()
        if row[column]
    )
    copy_columns(
        "facts_tag",
        ["customer_id", "name", "source", "recorded_at"],
        ((pk, tag, "demo", now) for pk, row in rows for tag in row["tags"]),
    )


def _known_since(world: World) -> dict[int, dt.date]:
    """The earliest fact of each customer, openings included."""
    first: dict[int, dt.date] = {}
    tables = ((world.receipts, "business_date"), (world.visits, "business_date"), (world.openings, "first_on"))
    for table, column in tables:
        values = table.values()
        for customer, day in zip(values["customer"], values[column], strict=True):
            if customer is not None and day < first.get(customer, dt.date.max):
                first[customer] = day
    return first


def _receipts(world: World, ids: Ids, meter: _Meter) -> None:
    ids.receipts = reserve_ids("facts_receipt", len(world.receipts))
    same = ["source_key", "number", "source", "kind", "original_number", "cash_minor", "consumed_minor", "margin_minor",
            "margin_basis", "items", "happened_at", "business_date", "recorded_at"]  # fmt: skip
    copy_columns(
        "facts_receipt", ["id", "customer_id", "store_id", "staff_id", *same],
        (
            (pk, Ids.at(ids.customers, row["customer"]), ids.stores[row["store"]].pk, Ids.at(ids.staff, row["staff"]),
             *(_utc(row[column]) for column in same))
            for pk, row in zip(ids.receipts, _dicts(world.receipts), strict=True)
        ),
        advance=meter,
    )  # fmt: skip
    line = ["position", "description", "quantity_milli", "unit_price_minor", "amount_minor", "cost_minor"]
    copy_columns(
        "facts_line",
        ["receipt_id", "item_id", *line],
        (
            (ids.receipts[row["receipt"]], Ids.at(ids.items, row["item"]), *(row[column] for column in line))
            for row in _dicts(world.lines)
        ),
        advance=meter,
    )
    copy_columns(
        "facts_tender",
        ["receipt_id", "kind", "amount_minor"],
        ((ids.receipts[row["receipt"]], row["kind"], row["amount_minor"]) for row in _dicts(world.tenders)),
        advance=meter,
    )


def _visits_and_openings(world: World, ids: Ids, meter: _Meter, *, now: dt.datetime) -> None:
    same = ["source_key", "purpose", "happened_at", "business_date", "recorded_at"]
    copy_columns(
        "facts_visit", ["customer_id", "store_id", "staff_id", "source", *same],
        (
            (ids.customers[row["customer"]], ids.stores[row["store"]].pk, Ids.at(ids.staff, row["staff"]), "demo",
             *(_utc(row[column]) for column in same))
            for row in _dicts(world.visits)
        ),
        advance=meter,
    )  # fmt: skip
    copy_columns(
        "facts_opening",
        ["customer_id", "store_id", "source_key", "first_on", "last_on", "purchases", "cash_minor", "business_date",
         "happened_at", "recorded_at"],
        (
            (ids.customers[row["customer"]], ids.stores[row["store"]].pk, row["source_key"], row["first_on"],
             row["last_on"], row["purchases"], row["cash_minor"], row["last_on"],
             dt.datetime.combine(row["last_on"], dt.time(4), tzinfo=dt.UTC), now)
            for row in _dicts(world.openings)
        ),
        advance=meter,
    )  # fmt: skip


def _stories(world: World, ids: Ids, meter: _Meter) -> None:
    """Notes and complaints: what was written stands in a note that can be erased, the event says that it exists."""
    rows = [row for row in _dicts(world.events) if row["kind"] in NOTE_KINDS]
    copy_columns(
        "facts_note",
        ["customer_id", "text", "photo", "source_key", "written_by_id", "written_at"],
        (
            (
                ids.customers[row["customer"]],
                row["text"],
                "",
                "",
                Ids.at(ids.staff, row["staff"]),
                _utc(row["happened_at"]),
            )
            for row in rows
        ),
    )
    same = ["source_key", "happened_at", "business_date", "recorded_at"]
    copy_columns(
        "facts_event", ["kind", "customer_id", "store_id", "staff_id", "data", *same],
        (
            (NOTE_KINDS[row["kind"]], ids.customers[row["customer"]], ids.stores[row["store"]].pk,
             Ids.at(ids.staff, row["staff"]), f'{{"topic": "{row["topic"]}"}}', *(_utc(row[column]) for column in same))
            for row in rows
        ),
        advance=meter,
    )  # fmt: skip


def _consents(ids: Ids, *, now: dt.datetime) -> None:
    """Of every three customers one agreed to messages; of those some took it back, some by her own page."""
    agreed = ids.customers[::3]
    offers = [(Purpose.MARKETING, Channel.SMS), (Purpose.MARKETING, Channel.WECHAT), (Purpose.CARE, Channel.WECHAT)]

    def row(pk: int, purpose: Purpose, channel: Channel, given: bool, how: str, days: int) -> tuple[object, ...]:
        at = now - dt.timedelta(days=days)
        key = f"demo:{pk}:{purpose}:{channel}:{given}"
        return (pk, purpose.value, channel.value, given, how, "2026-01", False, False, at, at.date(), now, key)

    columns = ["customer_id", "purpose", "channel", "given", "how", "text_version", "guardian", "separate",
               "happened_at", "business_date", "recorded_at", "source_key"]  # fmt: skip
    given = (row(pk, *topic, True, "form", 30 + pk % 300) for pk in agreed for topic in offers)
    taken_back = (row(pk, *offers[0], False, "member_page", pk % 30) for pk in agreed[::7])
    copy_columns("facts_consent", columns, given)
    copy_columns("facts_consent", columns, taken_back)


def _dicts(table: Table) -> Iterator[dict[str, Any]]:
    values = table.values()
    keys = list(values)
    for row in zip(*values.values(), strict=True):
        yield dict(zip(keys, row, strict=True))


def _utc(value: Any) -> Any:
    """Moments of the world are UTC without saying so."""
    return value.replace(tzinfo=dt.UTC) if isinstance(value, dt.datetime) else value
