"""Finding customers."""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from django.db import connection
from django.db.models import Q

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Identifier, IdentifierKind, Kept
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import Scope


def customer_in(scope: Scope, customer_id: int) -> Customer:
    """The customer, if the scope may see her; what is not yours to see does not exist."""
    found = Customer.objects.for_scope(scope).filter(pk=customer_id, is_active=True).first()
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]  # the scoped set is of customers


PHONE_LIKE = re.compile(r"^\+?[\d\s\-()]{5,}$")
MOST_IDENTIFIERS = 500
"""Identifiers with the same beginning that a search looks at: more is no search any more."""


def matching(text: str, *, path: str = "") -> Q:
    """Customers whom `text` may mean: a piece of the name, pinyin or initials, a phone, its last four digits, an id.

    `path` leads to the customer (`customer__`) where the rows are of another table. Each way has its own index; what
    can be meant in several ways is looked up in all of them.
    """
    plain = rules.SPACES.sub("", rules.clean_name(text).lower())
    if not plain:
        return Q()
    if rules.HAN.search(plain):
        return Q(**{f"{path}name_grams__contains": _pieces(plain)}) & _in_name(plain, path)
    ways = Q(**{f"{path}pk__in": _known_as(text.strip())})
    if re.fullmatch(r"\d{4}", plain):
        ways |= Q(**{f"{path}phone_tail": plain})
    if not plain.isdigit():
        ways |= Q(**{f"{path}pinyin__startswith": plain}) | Q(**{f"{path}initials__startswith": plain})
        if len(plain) > 1:
            ways |= Q(**{f"{path}name_grams__contains": _pieces(plain)}) & _in_name(plain, path)
    return ways


def _pieces(plain: str) -> list[str]:
    """The longest pieces of the name that the index knows."""
    return [plain] if len(plain) <= 2 else [plain[i : i + 2] for i in range(len(plain) - 1)]


def _in_name(plain: str, path: str) -> Q:
    """Three characters and more: the pieces must stand in this order too. The name may have spaces, the search none."""
    if len(plain) <= 2:
        return Q()
    return Q(**{f"{path}name__iregex": r"\s*".join(re.escape(character) for character in plain)})


def _known_as(text: str) -> list[int]:
    """Customers with an identifier that is, or begins with, the text: phone in any writing, e-mail, external id."""
    beginnings = {text, text.lower()}
    if PHONE_LIKE.match(text):
        digits = re.sub(r"[^\d+]", "", text)
        beginnings |= {digits, f"+86{digits}"}
        with suppress(ValueError):  # the beginning of a number is none yet
            beginnings.add(rules.normal_phone(text))
    same = Q()
    for beginning in beginnings:
        # One or two signs begin too many ids to mean any: then only the whole will do.
        same |= Q(value__startswith=beginning) if len(beginning) > 3 else Q(value=beginning)
    return list(Identifier.objects.filter(same).values_list("customer_id", flat=True)[:MOST_IDENTIFIERS])


def by_phone(text: str) -> Customer | None:
    """Who has this phone, however it is written; None where it is no phone or nobody's."""
    try:
        e164 = rules.normal_phone(text)
    except ValueError:
        return None
    known = (
        Identifier.objects.filter(kind=IdentifierKind.PHONE, source="", value=e164, customer__is_active=True)
        .select_related("customer")
        .first()
    )
    return known.customer if known else None


def phone_of(customer: Customer) -> str:
    """Her first phone in E.164, or an empty text."""
    known = Identifier.objects.filter(customer=customer, kind=IdentifierKind.PHONE).order_by("id").first()
    return known.value if known else ""


def phones_of(customer_ids: list[int]) -> dict[int, str]:
    """First phone by customer, for a page of them."""
    rows = Identifier.objects.filter(customer_id__in=customer_ids, kind=IdentifierKind.PHONE).order_by("-id")
    return dict(rows.values_list("customer_id", "value"))


# From name to name through the index: a chain has a million tags but a few dozen names.
TAG_NAMES = """
WITH RECURSIVE jump AS (
  (SELECT name FROM facts_tag ORDER BY name LIMIT 1)
  UNION ALL
  SELECT (SELECT name FROM facts_tag WHERE name > jump.name ORDER BY name LIMIT 1) FROM jump WHERE name IS NOT NULL
)
SELECT name FROM jump WHERE name IS NOT NULL LIMIT %s
"""


def tag_names(most: int) -> list[str]:
    """Names of the tags in use, in order, at most so many."""
    with connection.cursor() as sql:
        sql.execute(TAG_NAMES, [most])
        return [name for (name,) in sql.fetchall()]


def kept_of(batch_id: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a batch keeps for a room that is not built yet: whose it is, and the row."""
    rows = Kept.objects.filter(batch_id=batch_id).order_by("pk").values_list("customer__name", "data")
    yield from rows.iterator(chunk_size=2_000)
