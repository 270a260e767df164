"""Stores, staff and items that a file names: found, matched as told, created if allowed, or reported as unknown."""

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import duckdb

from changke.facts.catalog.models import Item
from changke.facts.catalog.services.intake import NewItem, take_in_items
from changke.facts.customers.services.meet import Reference, find, reference
from changke.foundation.access.models import Staff
from changke.foundation.access.services import add_staff
from changke.foundation.audit.rules import system
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.organisation.services import add_store
from changke.interfaces.importers.normalise.texts import plain
from changke.interfaces.importers.setting import Setting
from changke.interfaces.importers.tables import add, put, stream

BY = system("import")
ITEM_SHAPE = {"key": "VARCHAR", "id": "BIGINT", "kind": "VARCHAR", "unit_cost": "BIGINT", "margin": "BIGINT"}
MOST_LISTED = 200
"""Unknown words shown in one step of the wizard; with more than that the column was probably mapped wrongly."""


@dataclass(frozen=True)
class Unknown:
    """A word of the file that names nothing of ours yet. `what` is store, staff or item."""

    what: str
    word: str
    rows: int
    kind: str = ""
    """Of an item: what the file says that it is; nothing where it says nothing."""


def resolve_stores(connection: duckdb.DuckDBPyConnection, setting: Setting) -> list[Unknown]:
    """Make `store_of(word, id, zone)`; the word '' stands for rows that name no store."""
    words = _words(connection, "store")
    stores = list(Store.objects.all())
    by_word = {plain(word): store for store in stores for word in (store.name, store.code)}
    found: list[tuple[str, int, str]] = []
    unknown: list[Unknown] = []
    default = _default_store(setting, stores, by_word)
    for word, rows in words:
        named = setting.meant("store", word)
        store = default if not word else by_word.get(plain(named))
        if store is None and word and setting.create:
            store = add_store(code=word[:60], name=word[:120], time_zone=setting.time_zone, by=BY, now=setting.now)
            by_word[plain(word)] = store
        if store is None:
            unknown.append(Unknown("store", word, rows))
        else:
            found.append((word, store.pk, store.time_zone))
    put(connection, "store_of", {"word": "VARCHAR", "id": "BIGINT", "zone": "VARCHAR"}, found)
    return unknown


def _default_store(setting: Setting, stores: Sequence[Store], by_word: Mapping[str, Store]) -> Store | None:
    if setting.store:
        found = by_word.get(plain(setting.store))
        if found is None and setting.create:
            name = setting.store_name or setting.store
            found = add_store(code=setting.store, name=name, time_zone=setting.time_zone, by=BY, now=setting.now)
        return found
    return stores[0] if len(stores) == 1 else None


def resolve_staff(connection: duckdb.DuckDBPyConnection, setting: Setting, *, field: str = "staff") -> list[Unknown]:
    """Make `<field>_of(word, id)`. Staff without a log-in: somebody of the shop gives them one later."""
    by_word: dict[str, Staff] = {}
    for person in Staff.objects.all():
        for word in (person.name, person.username, person.code):
            if word:
                by_word.setdefault(plain(word), person)
    found: list[tuple[str, int]] = []
    unknown: list[Unknown] = []
    for word, rows in _words(connection, field):
        if not word:
            continue
        person_found = by_word.get(plain(setting.meant("staff", word)))
        if person_found is None and setting.create:
            person_found = add_staff(username=_username(word), name=word, code=word[:60], by=BY, now=setting.now)
            by_word[plain(word)] = person_found
        if person_found is None:
            unknown.append(Unknown("staff", word, rows))
        else:
            found.append((word, person_found.pk))
    put(connection, f"{field}_of", {"word": "VARCHAR", "id": "BIGINT"}, found)
    return unknown


def _username(word: str) -> str:
    wanted, again = word[:50], 2
    while Staff.objects.filter(username__iexact=wanted).exists():
        wanted, again = f"{word[:50]}-{again}", again + 1
    return wanted


ITEM_KEY = "coalesce('c' || item_code, 'n' || item)"
KIND_SAID = """coalesce(
  any_value(nullif(item_kind, 'other')),
  CASE WHEN bool_and(coalesce(sold_as, '') <> '') FILTER (coalesce(type, '') NOT IN ('use', 'return'))
    THEN any_value(nullif(sold_as, '')) END,
  any_value(item_kind))"""
"""What the file says of an item: in a column of kinds, else by every row that sells it."""


def resolve_items(connection: duckdb.DuckDBPyConnection, setting: Setting) -> list[Unknown]:
    """Make `item_of(key, id, kind, unit_cost, margin)`, by code or, in a file without codes, by name."""
    connection.execute(
        f"CREATE OR REPLACE TABLE named_item AS SELECT {ITEM_KEY} AS key, any_value(item_code) AS code, "  # noqa: S608 ours
        f"arg_min(coalesce(item, item_code), rn) AS name, {KIND_SAID} AS kind, any_value(category) AS category, "
        f"count(*) AS rows FROM typed WHERE {ITEM_KEY} IS NOT NULL AND problem = '' GROUP BY 1"
    )
    put(connection, "item_of", ITEM_SHAPE, [])
    unknown = _match_items(connection, setting)
    if setting.create and unknown:
        cursor = connection.cursor()
        cursor.execute(
            "SELECT coalesce(code, left(name, 80)), name, kind, category FROM named_item "
            "WHERE key NOT IN (SELECT key FROM item_of) ORDER BY 1"
        )
        take_in_items(
            NewItem(
                code=code,
                name=name,
                category=category or "",
                kind=setting.kinds.get(plain(name)) or word or setting.item_kind or "other",
            )
            for rows in iter(lambda: cursor.fetchmany(2_000), [])
            for code, name, word, category in rows
        )
        put(connection, "item_of", ITEM_SHAPE, [])
        unknown = _match_items(connection, setting)
    return unknown


def _match_items(connection: duckdb.DuckDBPyConnection, setting: Setting) -> list[Unknown]:
    matches = _item_matches(setting)
    unknown: list[Unknown] = []
    for rows in stream(connection, "SELECT key, code, name, rows, kind FROM named_item ORDER BY rows DESC", 2_000):
        wanted = {
            key: matches.get(plain(name)) or matches.get(plain(code or "")) or code or name
            for key, code, name, *_ in rows
        }
        words = set(wanted.values())
        found: dict[str, Item] = {}
        for item in Item.objects.filter(name__in=words).select_related("category").order_by("-id"):
            found[item.name] = item
        for item in Item.objects.filter(code__in=words).select_related("category"):
            found[item.code] = item
        add(
            connection,
            "item_of",
            ITEM_SHAPE,
            [
                (
                    key,
                    item.pk,
                    item.kind,
                    item.unit_cost_minor,
                    item.category.margin_basis_points if item.category else None,
                )
                for key, item in ((key, found.get(word)) for key, word in wanted.items())
                if item is not None
            ],
        )
        unknown += [
            Unknown("item", name, count, kind or setting.item_kind)
            for key, _, name, count, kind in rows
            if wanted[key] not in found
        ]
    return unknown[:MOST_LISTED]


def _item_matches(setting: Setting) -> dict[str, str]:
    """Plain word of the file -> code of the item it was matched with, however the match is written."""
    matches = setting.matches.get("item", {})
    targets = {plain(target) for target in matches.values()}
    codes: dict[str, str] = {}
    if targets:
        for code, name in Item.objects.order_by("-id").values_list("code", "name").iterator():
            codes |= {word: code for word in (plain(name), plain(code)) if word in targets}
    return {word: codes.get(plain(target), target) for word, target in matches.items()}


WHOLE = re.compile(r"(\d+)\.0")
"""What programs make of a number in a column with gaps."""


def customers_named(cells: Collection[str], *, source: str) -> dict[str, int]:
    """Cell -> the customer whom it names: by her number in this source, else by her card, else by her phone. Never by
    her name: two may have one."""
    ways = {cell: ways_of(cell, source=source) for cell in cells}
    known = find(list(dict.fromkeys(one for some in ways.values() for one in some)), scope=CHAIN_WIDE)
    found = {cell: next((known[one] for one in some if one in known), None) for cell, some in ways.items()}
    return {cell: customer for cell, customer in found.items() if customer is not None}


def ways_of(cell: str, *, source: str) -> list[Reference]:
    """Whom a cell may name, the first that is known being meant."""
    said = WHOLE.sub(r"\1", cell.strip())
    ways = []
    for kind in ("external", "card", "phone"):
        with suppress(Invalid):
            ways.append(reference(kind, said, source))
    return ways


def _words(connection: duckdb.DuckDBPyConnection, field: str) -> list[tuple[str, int]]:
    return connection.execute(
        f"SELECT coalesce({field}, ''), count(*) FROM typed WHERE problem = '' GROUP BY 1 ORDER BY 2 DESC, 1"  # noqa: S608 ours
    ).fetchall()
