"""What conditions may ask of customers here, and a condition asked: of all by one statement, of a few by Python.

What may be asked stands in `words_of_the_chain`: the house's attributes, the stage in each model, what is written
on the customer's card, the chain's own fields. A group that asks is put in the place of its name, so that it
means the same at every moment; only a frozen one is looked up.
"""

# ruff: noqa: S608 -- statements are made of our own words; every value is bound
import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from sqlglot import exp

from changke.engine.definitions import TODAY, Column, among
from changke.engine.definitions.composer import Composer
from changke.facts.catalog.models import Category, Item
from changke.facts.consents.rules import topics
from changke.facts.customers.queries import families_of
from changke.facts.events.services import KINDS as EVENTS
from changke.facts.fields.queries import fields_for
from changke.facts.scores.queries import scores_for
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.profiles.attributes.catalogue import REGISTRY
from changke.profiles.attributes.own import attributes_of, composer_with, own_column
from changke.profiles.attributes.queries import days_at, settings_of
from changke.profiles.conditions import Beyond, Condition, ConditionError, TextError, read_condition, read_text
from changke.profiles.conditions.deeds import CONSENTS, DEEDS, KINDS, SEGMENTS, TAGS, Deed, Done
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.segments.models import Segment
from changke.profiles.value import asked as _predictions_may_be_asked  # noqa: F401 -- registers them

STAGE = "stage"
CARD: Mapping[str, tuple[str, str]] = {
    "source": ("text", "where she comes from"),
    "city": ("text", "her city"),
    "gender": ("text", "her gender"),
    "known_on": ("date", "the day since which we know her"),
    "birth_month": ("int", "the month of her birthday"),
    "birth_year": ("int", "the year she was born in"),
}
"""Columns of the customer, with type and words. An empty text is unknown."""

MOST_NESTED = 10
"""Groups within groups."""


SEEN = {"only_visited": "BIGINT[]", "only_own": "BIGINT[]", "only_adviser": "BIGINT"}
"""Types of what a scope binds that looks at persons too."""


class SegmentCircle(ValueError):
    """A group that asks for itself, by way of others."""


@dataclass(frozen=True)
class Words:
    """Everything that may be asked at this moment."""

    attributes: Mapping[str, Column]
    beyond: Beyond
    settings: Mapping[str, int]
    currency: str
    composer: Composer
    trees: Mapping[str, Mapping[str, Any]]
    """Group that asks -> what it asks."""

    def read(self, text: str) -> tuple[dict[str, Any], Condition]:
        """The tree as written, and the condition with every group in the place of its name. Raises TextError."""
        tree, _ = read_text(text, self.attributes, currency=self.currency, settings=self.settings, beyond=self.beyond)
        try:
            return tree, self.condition(tree)
        except (ConditionError, SegmentCircle) as error:
            raise TextError(1, 1, str(getattr(error, "problem", error))) from None

    def condition(self, tree: Mapping[str, Any]) -> Condition:
        """Raises ConditionError."""
        return read_condition(self.spelled_out(tree), self.attributes, settings=self.settings, beyond=self.beyond)

    def spelled_out(self, tree: Any, within: tuple[str, ...] = ()) -> Any:
        """The tree with every group that asks replaced by what it asks. Raises SegmentCircle."""
        if isinstance(tree, Mapping):
            key = tree.get("segment")
            if isinstance(key, str) and key in self.trees:
                if key in within or len(within) >= MOST_NESTED:
                    raise SegmentCircle(f"no group that asks for itself ({' > '.join((*within, key))})")
                return self.spelled_out(self.trees[key], (*within, key))
            return {name: self.spelled_out(part, within) for name, part in tree.items()}
        if isinstance(tree, list):
            return [self.spelled_out(part, within) for part in tree]
        return tree


def words_of_the_chain(*, role: str | None = None, language: str = "zh-hans", chain: Chain | None = None) -> Words:
    """What may be asked now; with a role only those own fields and scores that it may see."""
    chain = chain or the_chain()
    composer = composer_with(fields_for(role), scores_for(role), language=language)
    attributes = attributes_of(composer)
    attributes[STAGE] = Column(STAGE, "text", None, "stage", line=0)
    for key in StageModel.objects.filter(is_in_use=True).values_list("key", flat=True):
        attributes[f"{STAGE}.{key}"] = Column(f"{STAGE}.{key}", "text", None, "stage", line=0)
    for name, (kind, words) in CARD.items():
        attributes[name] = Column(name, kind, None, words, line=0)
    segments = list(Segment.objects.all())
    beyond = Beyond(
        segments=[one.key for one in segments],
        categories=list(Category.objects.values_list("name", flat=True)),
        items=list(Item.objects.values_list("code", flat=True)),
        consents=[(str(purpose), str(channel)) for purpose, channel in topics()],
        events=list(EVENTS),
    )
    trees = {one.key: one.tree for one in segments if one.tree is not None}
    return Words(attributes, beyond, settings_of(chain), chain.currency, composer, trees)


def today_of(chain: Chain, now: dt.datetime) -> dt.date:
    """The chain's day: windows of deeds end with it."""
    return days_at(now, chain).chain


@dataclass(frozen=True)
class Question:
    """A condition over the stored profiles, as PostgreSQL reads it: text after WHERE, and what to bind."""

    where: str
    values: Mapping[str, Any]


FROM = "profiles_profile AS one"


def question(
    condition: Condition | None,
    words: Words,
    *,
    today: dt.date,
    scope: Scope | None = None,
    ids: Sequence[int] | None = None,
    engine: str = "postgres",
) -> Question:
    """WHERE over `FROM`. `scope` narrows whom one sees; `ids` to some customers, in every table that is read."""
    parts: list[exp.Expr] = []
    values: dict[str, Any] = {TODAY: today}
    if condition is not None:
        asked = condition.sql(lambda name: column_of(name, words))
        if ids is not None:
            _push(asked)
        parts.append(asked)
        values |= condition.values
    if ids is not None:
        parts.append(among(_plain("customer_id"), "only_ids"))
        values["only_ids"] = list(ids)
        if any(one.name == "only_records" for part in parts for one in part.find_all(exp.Placeholder)):
            values["only_records"] = list(_records(ids))
    if scope is not None and scope.store_ids is not None:
        parts.append(_whom(scope))
        values |= {"only_stores": sorted(scope.store_ids), "only_visited": sorted(scope.visited)}
        values |= {"only_adviser": scope.adviser, "only_own": sorted(scope.own or ())}
    where = exp.and_(*parts) if parts else exp.true()
    return _typed(where, values, condition.types if condition else {}, engine)


def _whom(scope: Scope) -> exp.Expr:
    """Whom the scope sees: by her home, by her visits, by her adviser."""
    ways: list[exp.Expr] = [among(_plain("home_store_id"), "only_stores")]
    if scope.visited:
        guests = exp.select("person_id").from_("facts_guest").where(among(exp.column("store_id"), "only_visited"))
        ways.append(_any_of(guests))
    if scope.adviser is not None:
        mine = exp.select("id").from_("facts_customer")
        mine = mine.where(exp.column("adviser_id").eq(exp.Placeholder(this="only_adviser")))
        mine = mine.where(exp.column("merged_into_id").is_(exp.null()))
        if scope.own is not None:
            mine = mine.where(among(exp.column("home_store_id"), "only_own"))
        ways.append(_any_of(mine))
    return exp.paren(exp.or_(*ways))  # whatever is asked beside it


def _any_of(found: exp.Select) -> exp.Expr:
    return exp.In(this=_plain("customer_id"), query=found.subquery())


def bound(asked: exp.Expr, condition: Condition, *, today: dt.date, engine: str) -> Question:
    """A part of what a condition asks as text of an engine, with what that part binds."""
    return _typed(asked, {TODAY: today, **condition.values}, condition.types, engine)


def _typed(asked: exp.Expr, values: Mapping[str, Any], types: Mapping[str, str], engine: str) -> Question:
    types = {
        TODAY: "DATE",
        "only_ids": "BIGINT[]",
        "only_records": "BIGINT[]",
        "only_stores": "BIGINT[]",
        **SEEN,
        **types,
    }
    used = set()
    for one in list(asked.find_all(exp.Placeholder)):
        used.add(one.name)
        one.replace(exp.cast(one.copy(), types[one.name], dialect="duckdb"))
    return Question(asked.sql(dialect=engine), {name: value for name, value in values.items() if name in used})


def column_of(name: str, words: Words) -> exp.Expr:
    """Where an attribute stands: in the wide row, in her standing in a model, on her card, among her own fields."""
    if name in REGISTRY.attributes or name in {"customer_id", STAGE}:
        return _plain(name)
    if name.startswith(f"{STAGE}."):
        stage = exp.select("stage").from_("profiles_standing")
        stage = stage.where(exp.column("model").eq(name.removeprefix(f"{STAGE}.")))
        return _hers(stage, "profiles_standing")
    if name in CARD:
        read: exp.Expr = exp.column(name, table="card")
        if CARD[name][0] == "text":
            read = exp.func("NULLIF", read, exp.Literal.string(""))
        card = exp.select(read).from_(exp.alias_(exp.table_("facts_customer"), "card", table=True))
        return card.where(exp.column("id", table="card").eq(_plain("customer_id"))).subquery()
    own = own_column(name, words.composer)
    read = exp.select(exp.column(name, table="own")).from_(own.subquery("own"))
    return read.where(exp.column("customer_id", table="own").eq(_plain("customer_id"))).subquery()


def _plain(name: str) -> exp.Column:
    return exp.column(name, table="one", quoted=True)


def _hers(query: exp.Select, table: str) -> exp.Expr:
    return query.where(exp.column("customer_id", table=table).eq(_plain("customer_id"))).subquery()


OF_RECORDS = {"facts_event", "facts_consent", "profiles_segmentmember"}
"""Tables that are read through the merge links where they are asked. Tags and own fields are carried over instead."""


def _push(asked: exp.Expr) -> None:
    """Narrow what every set of customers is made of: a set over everybody for the sake of one would take a second."""
    for inside in asked.find_all(exp.In):
        query = inside.args.get("query")
        if query is None or (isinstance(query.this, exp.Select) and query.this.find(exp.Unnest)):
            continue
        for table in list(query.find_all(exp.Table)):
            if table.db == "live" or table.name in OF_RECORDS or table.name == "facts_tag":
                only = exp.select("*").from_(exp.table_(table.name, db=table.db or None))
                hers = "only_records" if table.name in OF_RECORDS else "only_ids"
                only = only.where(among(exp.column("customer_id"), hers))
                table.replace(only.subquery(table.alias_or_name))


PERSONS = """
SELECT one.*, COALESCE(NULLIF(card.source, ''), NULL) AS source, NULLIF(card.city, '') AS city,
       NULLIF(card.gender, '') AS gender, card.known_on, card.birth_month, card.birth_year
FROM profiles_profile AS one JOIN facts_customer AS card ON card.id = one.customer_id
WHERE one.customer_id = ANY(%(ids)s)
"""
DONE = (
    " UNION ALL ".join(
        f"SELECT customer_id, '{kind}', day, position, amount, '' FROM ({Deed(kind).rows('%(today)s')}) AS {kind}"
        " WHERE customer_id = ANY(%(ids)s)"
        for kind in KINDS
        if kind != "event"
    )
    + " UNION ALL SELECT customer_id, 'event', business_date, id, 0, kind FROM facts_event"
    " WHERE customer_id = ANY(%(records)s) AND withdrawn_by_id IS NULL"
)
LINES = """
SELECT receipt.id, item.code, COALESCE(category.name, ''), line.amount_minor
FROM facts_receipt AS receipt JOIN facts_line AS line ON line.receipt_id = receipt.id
JOIN facts_item AS item ON item.id = line.item_id LEFT JOIN facts_category AS category ON category.id = item.category_id
WHERE receipt.customer_id = ANY(%(records)s)
"""
SAID = """
SELECT customer_id, purpose, channel, given FROM (
  SELECT customer_id, purpose, channel, given, ROW_NUMBER() OVER
    (PARTITION BY customer_id, purpose, channel ORDER BY happened_at DESC, given, id DESC) AS place
  FROM facts_consent WHERE customer_id = ANY(%(records)s) AND withdrawn_by_id IS NULL) AS said
WHERE place = 1 ORDER BY given DESC
"""


def _records(ids: Sequence[int]) -> dict[int, int]:
    """Every record of these persons -> the person."""
    return {record: family[0] for family in families_of(ids).values() for record in family}


def persons(ids: Sequence[int], words: Words, *, today: dt.date) -> dict[int, dict[str, Any]]:
    """Everything that a condition may ask of these customers, as `Condition.holds` reads it."""
    found: dict[int, dict[str, Any]] = {}
    records = _records(ids)
    with connection.cursor() as sql:

        def rows(statement: str) -> list[tuple[Any, ...]]:
            sql.execute(statement, {"ids": list(ids), "records": list(records), "today": today})
            return list(sql.fetchall())

        people = rows(PERSONS)
        names = [column.name for column in sql.description or ()]
        for row in people:
            person = dict(zip(names, row, strict=True))
            found[person["customer_id"]] = {
                **{column.name: None for column in words.attributes.values()}, **person,
                TODAY: today, TAGS: set(), CONSENTS: set(), SEGMENTS: set(), DEEDS: [],
            }  # fmt: skip
        for pk, model, stage in rows(
            "SELECT customer_id, model, stage FROM profiles_standing WHERE customer_id = ANY(%(ids)s)"
        ):
            if pk in found:
                found[pk][f"{STAGE}.{model}"] = stage
        for pk, name in rows("SELECT customer_id, name FROM facts_tag WHERE customer_id = ANY(%(ids)s)"):
            if pk in found:
                found[pk][TAGS].add(name)
        for record, purpose, channel, given in rows(SAID):  # what was refused under one of her records comes last
            if (pk := records[record]) in found:
                (found[pk][CONSENTS].add if given else found[pk][CONSENTS].discard)((purpose, channel))
        members = (
            "SELECT customer_id, key FROM profiles_segmentmember AS member JOIN profiles_segment AS whole"
            " ON whole.id = member.segment_id WHERE customer_id = ANY(%(records)s) AND left_at IS NULL"
        )
        for record, key in rows(members):
            if (pk := records[record]) in found:
                found[pk][SEGMENTS].add(key)
        lines: dict[int, list[tuple[str, str, int]]] = {}
        for receipt, code, category, amount in rows(LINES):
            lines.setdefault(receipt, []).append((code, category, amount))
        for record, kind, day, order, amount, event in rows(DONE):
            if (pk := records[record]) in found:
                named = tuple(lines.get(order, ())) if kind in {"purchase", "use"} else ()
                found[pk][DEEDS].append(Done(kind, day, order, amount, named, event))
        for column in words.attributes.values():
            if column.name in words.composer.registry.owners and column.name not in REGISTRY.attributes:
                for pk, value in rows(_own_values(column.name, words)):
                    if pk in found:
                        found[pk][column.name] = value
    return found


def _own_values(name: str, words: Words) -> str:
    own = own_column(name, words.composer).subquery("own")
    return f"SELECT customer_id, {name} FROM {own.sql(dialect='postgres')} WHERE customer_id = ANY(%(ids)s)"
