"""Random conditions over invented customers: PostgreSQL, DuckDB, the copy by columns and Python for one person say the
same; so does the condition after a way through its text."""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.conf import settings as chosen_settings
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.facts.catalog.models import Category, Item
from changke.facts.consents.models import Consent
from changke.facts.customers.models import Customer, Tag
from changke.facts.customers.queries import records_of
from changke.facts.events.models import Event
from changke.facts.fields.services import define, set_values
from changke.facts.purchases.models import Line, Receipt
from changke.facts.referrals.models import Referral
from changke.facts.visits.models import Visit
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.profiles.attributes.models import Profile
from changke.profiles.conditions import parse, print_tree, read_condition
from changke.profiles.conditions.deeds import DEEDS
from changke.profiles.lifecycle.services import fold, refresh_all
from changke.profiles.segments import columns, copies
from changke.profiles.segments.asking import FROM, Words, persons, question, words_of_the_chain
from changke.profiles.segments.models import Segment, SegmentMember
from changke.profiles.value.services.follow import follow as follow_values
from tests.profiles.world import NOW, TODAY, Book

pytestmark = pytest.mark.django_db
# ruff: noqa: E501 -- a table of columns
TABLES = {
    "profiles_profile": "", "profiles_standing": "", "profiles_segment": "id, key", "facts_event": "id, kind,"
    " customer_id, business_date, withdrawn_by_id", "facts_tag": "customer_id, name", "facts_line": "receipt_id, item_id,"
    " amount_minor", "facts_item": "id, code, category_id", "facts_category": "id, name", "facts_consent": "id,"
    " customer_id, purpose, channel, given, happened_at, withdrawn_by_id", "profiles_segmentmember": "segment_id,"
    " customer_id, left_at", "facts_customer": "id, source, city, gender, known_on, birth_month, birth_year,"
    " merged_into_id",
    "facts_fieldvalue": "customer_id, field_id, text, number, day", "live.purchases": "", "live.uses": "",
    "live.returns": "", "live.visits": "", "live.openings": "",
}  # fmt: skip


@pytest.fixture(scope="module")
def everybody(invented: None, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """The invented customers, with whatever else a condition may ask for."""
    dice, book = random.Random(3), Book()
    groups = [Category.objects.create(name=name) for name in ("面部", "身体")]
    items = [Item.objects.create(code=f"I{n}", name=f"Item {n}", category=groups[n % 2]) for n in range(4)]
    receipts = list(Receipt.objects.exclude(kind="return"))
    Line.objects.bulk_create(
        Line(
            receipt=one, position=place, item=dice.choice([*items, None]), amount_minor=dice.choice([0, 5_000, 12_345])
        )
        for one in receipts
        for place in range(dice.randint(0, 3))
    )
    people = list(Customer.objects.order_by("pk"))
    for one in people:
        one.source = dice.choice(["", "抖音", "老带新"])
    Customer.objects.bulk_update(people, ["source"])
    told = {"source": "staff", "recorded_at": NOW}
    Tag.objects.bulk_create(Tag(customer=one, name="敏感肌", **told) for one in people if dice.random() < 0.3)
    Consent.objects.bulk_create(
        Consent(customer=one, purpose="marketing", channel=dice.choice(["sms", "wechat"]), given=dice.random() < 0.6,
                how="counter", **book._fact(TODAY - dt.timedelta(days=dice.randint(0, 3))))
        for one in people
        for _ in range(dice.randint(0, 4))
    )  # fmt: skip
    Event.objects.bulk_create(
        Event(
            customer=one,
            kind=dice.choice(["complaint.received", "app.opened"]),
            **book._fact(TODAY - dt.timedelta(days=dice.randint(0, 90))),
        )
        for one in people
        for _ in range(dice.randint(0, 2))
    )
    for into, merged in zip(people[3::11], people[4::11], strict=False):  # two records of one person
        Customer.objects.filter(pk=merged.pk).update(merged_into=into)
    define(key="skin", kind="choice", labels={"zh-hans": "肤质"}, choices=["干性", "油性"], now=NOW)
    define(key="children", kind="number", labels={"zh-hans": "孩子"}, choices=[], now=NOW)
    for one in people[::7]:
        set_values(one.pk, {"skin": dice.choice(["干性", "油性"]), "children": dice.choice([None, 0, 2])}, now=NOW)
    frozen = Segment.objects.create(key="vip", name="VIP", is_static=True, changed_at=NOW)
    SegmentMember.objects.bulk_create(
        SegmentMember(segment=frozen, customer=one, entered_at=NOW, left_at=dice.choice([None, NOW]))
        for one in people[::5]
    )
    Segment.objects.create(
        key="often", name="Often", tree={"attribute": "purchases", "op": ">", "value": 4}, changed_at=NOW
    )
    refresh_all(now=NOW, mirror=tmp_path_factory.mktemp("mirror") / "mirror.duckdb", months=0)
    with connection.cursor() as sql:
        sql.execute("ANALYZE")  # as after every large load: uncounted tables made one question last for minutes
    return list(Profile.objects.order_by("pk").values_list("pk", flat=True))


@pytest.fixture(scope="module")
def words(everybody: list[int]) -> Words:
    return words_of_the_chain(language="en")


@pytest.fixture(scope="module")
def rows(everybody: list[int], words: Words) -> dict[int, dict[str, Any]]:
    return persons(everybody, words, today=TODAY)


@pytest.fixture(scope="module")
def duck(everybody: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same tables on DuckDB, by way of CSV."""
    folder: Path = tmp_path_factory.mktemp("tables")
    with duckdb.connect() as engine:
        engine.execute("CREATE SCHEMA live")
        for table, columns in TABLES.items():
            with connection.cursor() as sql:
                sql.execute(f"SELECT {columns or '*'} FROM {table} LIMIT 0")
                kinds = {"int8": "BIGINT", "int4": "INTEGER", "int2": "SMALLINT", "date": "DATE", "bool": "BOOLEAN",
                         "timestamptz": "TIMESTAMPTZ"}  # fmt: skip
                shape = ", ".join(f"{one.name} {kinds.get(_type(one.type_code), 'VARCHAR')}" for one in sql.description)
                file = folder / f"{table}.csv"
                with (
                    file.open("wb") as out,
                    sql.copy(f"COPY (SELECT {columns or '*'} FROM {table}) TO STDOUT (FORMAT csv)") as copy,
                ):
                    for block in copy:
                        out.write(block)
            engine.execute(f"CREATE TABLE {table} ({shape})")
            engine.execute(f"COPY {table} FROM '{file}' (FORMAT csv, HEADER false)")
        yield engine


def who_brought(people: set[int]) -> set[int]:
    """What these spend counts there, so they are computed along."""
    said = Referral.objects.filter(customer__in=records_of(people), referrer__isnull=False).select_related("referrer")
    return {one.referrer.merged_into_id or one.referrer.pk for one in said if one.referrer}


@pytest.fixture(scope="module")
def copied(everybody: list[int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The copy, some customers told anew in it, and some whom PostgreSQL is asked about."""
    with pytest.MonkeyPatch.context() as patch, seeing(CHAIN_WIDE):
        patch.setattr(chosen_settings, "DATA_DIR", tmp_path_factory.mktemp("copy"))
        patch.setattr(copies, "WORTH_IT", 0)
        follow_values(NOW)
        assert copies.copy_columns() == len(everybody)
        before = copies.latest()
        Customer.objects.filter(pk__in=everybody[::6]).update(txid=current_xid())
        fold(NOW)
        follow_values(NOW)
        copies.copy_columns()
        Customer.objects.filter(pk__in=everybody[::9]).update(txid=current_xid())
        copy = copies.latest()
        assert before
        assert copy
        assert copy.told.base == before.told.base
        assert copy.deeds is not None
        told, renewed = set(everybody[::6]), set(copy.deeds.renewed.tolist())
        assert told <= renewed <= told | who_brought(told)
        told, changed = set(everybody[::9]), set(copies.changed_since(copy, 2_000))
        assert told <= changed <= told | who_brought(told)
        yield
        copies._open.clear()


def _type(oid: int) -> str:
    with connection.cursor() as sql:
        sql.execute("SELECT typname FROM pg_type WHERE oid = %s", [oid])
        return str(sql.fetchone()[0])


COMPARISON = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
DEED = st.sampled_from([
    {"kind": "purchase"}, {"kind": "use"}, {"kind": "return"}, {"kind": "visit"}, {"kind": "event", "of": "complaint.received"},
    {"kind": "purchase", "item": "I1"}, {"kind": "purchase", "category": "面部"}, {"kind": "use", "category": "身体"},
])  # fmt: skip
WINDOW = st.sampled_from([{}, {"days": 1}, {"days": 30}, {"days": 365}, {"since": "visit"}])


@st.composite
def counted(draw: st.DrawFn) -> dict[str, Any]:
    deed, measure = draw(DEED), draw(st.sampled_from(["count", "sum"]))
    if deed["kind"] in {"visit", "event"}:
        measure = "count"
    value = draw(st.integers(-1, 5)) if measure == "count" else draw(st.sampled_from([0, 5_000, 12_345, 100_000]))
    return {"measure": measure, "deed": deed, **draw(WINDOW), "op": draw(COMPARISON), "value": value}


@st.composite
def sequences(draw: st.DrawFn) -> dict[str, Any]:
    days = draw(st.sampled_from([{}, {"days": 400}]))
    return {"first": draw(DEED), "then": draw(DEED), "within": draw(st.sampled_from([1, 7, 60])), **days}


@st.composite
def compared(draw: st.DrawFn) -> dict[str, Any]:
    name, values = draw(st.sampled_from([
        ("silent_days", [30, 60, 200]), ("net_spend", [0, 20_000, 90_000]), ("purchases", [0, 2, 5]),
        ("last_visit_on", ["2026-01-01", "2025-06-01"]), ("birth_year", [1980, 1999]), ("custom.children", [0, 2]),
    ]))  # fmt: skip
    return {"attribute": name, "op": draw(COMPARISON), "value": draw(st.sampled_from(values))}


@st.composite
def chosen(draw: st.DrawFn) -> dict[str, Any]:
    name, values = draw(st.sampled_from([
        ("stage", ["silent", "lost"]), ("stage.m4", ["growth", "intro"]), ("value_group", ["high", "low"]),
        ("custom.skin", ["油性", "干性"]), ("source", ["抖音", "老带新"]),
    ]))  # fmt: skip
    if draw(st.booleans()):
        return {"known": name}
    op = draw(st.sampled_from(["=", "!=", "in"]))
    return {"attribute": name, "op": op, "value": values if op == "in" else draw(st.sampled_from(values))}


NAMED = st.sampled_from([
    {"tag": "敏感肌"}, {"tag": "nobody wears it"}, {"segment": "vip"}, {"segment": "often"},
    {"consent": "marketing", "channel": "sms"}, {"consent": "marketing", "channel": "wechat"}, {"consent": "health"},
])  # fmt: skip
LEAF = st.one_of(compared(), chosen(), NAMED, counted(), sequences())


def inner(parts: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    several = st.lists(parts, min_size=2, max_size=3)
    return (
        st.builds(lambda part: {"not": part}, parts)
        | st.builds(lambda some: {"and": some}, several)
        | st.builds(lambda some: {"or": some}, several)
    )


TREES = st.recursive(LEAF, inner, max_leaves=5)
ALIKE = settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@ALIKE
@given(tree=TREES)
def test_four_readings_say_the_same(
    everybody: list[int],
    words: Words,
    rows: dict,
    duck: duckdb.DuckDBPyConnection,
    copied: None,
    tree: dict[str, Any],
) -> None:
    condition = words.condition(tree)
    by_hand = [pk for pk in everybody if condition.holds(rows[pk])]
    asked = question(condition, words, today=TODAY)
    with connection.cursor() as sql:
        sql.execute(f"SELECT customer_id FROM {FROM} WHERE {asked.where} ORDER BY 1", asked.values)
        assert [pk for (pk,) in sql.fetchall()] == by_hand, tree
        few = everybody[::40]
        asked = question(condition, words, today=TODAY, ids=few)
        sql.execute(f"SELECT customer_id FROM {FROM} WHERE {asked.where} ORDER BY 1", asked.values)
        assert [pk for (pk,) in sql.fetchall()] == [pk for pk in few if condition.holds(rows[pk])], tree
    asked = question(condition, words, today=TODAY, engine="duckdb")
    found = duck.execute(f"SELECT customer_id FROM {FROM} WHERE {asked.where} ORDER BY 1", asked.values).fetchall()
    assert [pk for (pk,) in found] == by_hand, tree
    quick = columns.everybody(condition, words, now=NOW)
    assert (quick is None) == ("stage.m4" in condition.attributes), tree
    assert quick is None or quick.tolist() == by_hand, tree


@ALIKE
@given(tree=TREES)
def test_a_condition_survives_its_text(words: Words, tree: dict[str, Any]) -> None:
    text = print_tree(tree, words.attributes, currency="CNY")
    again = parse(text, words.attributes, currency="CNY")
    asked = [read_condition(one, words.attributes, beyond=words.beyond) for one in (tree, again)]
    assert asked[0] == asked[1], text
    assert print_tree(again, words.attributes, currency="CNY") == text


@pytest.mark.parametrize("days", [30, 90, 365])
@pytest.mark.parametrize("deed", ["visit", "purchase"])
def test_what_a_window_counts_is_what_the_attribute_says(
    everybody: list[int], words: Words, rows: dict, deed: str, days: int
) -> None:
    """A visit is one store on one day, receipts that stayed among them; a purchase given back whole is none."""
    differing = []
    for number in range(5):
        tree = {"measure": "count", "deed": {"kind": deed}, "days": days, "op": ">", "value": number}
        said = words.condition({"attribute": f"{deed}s_{days}d", "op": ">", "value": number})
        counted_so = words.condition(tree)
        differing += [pk for pk in everybody if counted_so.holds(rows[pk]) != said.holds(rows[pk])]
    assert not differing
    assert any(rows[pk][f"{deed}s_{days}d"] for pk in everybody)


def test_the_invented_customers_did_something_of_each_kind(rows: dict, words: Words) -> None:
    """Otherwise the agreement above would prove nothing."""
    kinds = {one.kind for person in rows.values() for one in person[DEEDS]}
    assert kinds == {"purchase", "use", "return", "visit", "event"}
    assert Visit.objects.exists()
    assert Customer.objects.filter(merged_into__isnull=False, pk__in=Event.objects.values("customer")).exists()
    for tree in ({"tag": "敏感肌"}, {"segment": "vip"}, {"consent": "marketing", "channel": "sms"},
                 {"first": {"kind": "purchase"}, "then": {"kind": "use"}, "within": 60},
                 {"measure": "count", "deed": {"kind": "purchase", "category": "面部"}, "op": ">=", "value": 2}):  # fmt: skip
        fitting = sum(words.condition(tree).holds(person) for person in rows.values())
        assert 0 < fitting < len(rows), tree
