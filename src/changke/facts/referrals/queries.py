"""Who brought somebody, as what was stated last says, and whom she brought."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db import connection
from django.db.models import Q

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import family_of
from changke.facts.referrals.models import How, Referral
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE


@dataclass(frozen=True)
class Said:
    """The statement that holds of a person. `referrer_id`: the person who brought her; None: nobody is known."""

    id: int
    referrer_id: int | None
    how: How
    brought_on: dt.date
    recorded_at: dt.datetime
    staff_id: int | None
    batch_id: int | None


# The same as the view `live.referrals` (facts/tables.py), from the other end: that begins at who brought.
STANDING = """
SELECT DISTINCT ON (person) person, id, named, how, business_date, recorded_at, staff_id, batch_id
FROM (
  SELECT said.*,
    CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END AS person,
    CASE WHEN referrer.merged_into_id IS NULL THEN referrer.id ELSE referrer.merged_into_id END AS named
  FROM facts_customer AS record
  JOIN facts_referral AS said ON said.customer_id = record.id
  LEFT JOIN facts_customer AS referrer ON referrer.id = said.referrer_id
  WHERE CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END = ANY(%s)
    AND said.withdrawn_by_id IS NULL
) AS told
WHERE named IS DISTINCT FROM person
ORDER BY person, id DESC
"""


@seeing(CHAIN_WIDE)
def standing(persons: Collection[int]) -> dict[int, Said]:
    """What holds of each of these persons; nothing of whom nobody said anything."""
    if not persons:
        return {}
    with connection.cursor() as sql:
        sql.execute(STANDING, [list(persons)])
        return {
            person: Said(pk, named, How(how), day, recorded, staff, batch)
            for person, pk, named, how, day, recorded, staff, batch in sql.fetchall()
        }


def standing_above(persons: Iterable[int]) -> dict[int, Said]:
    """The same of everybody above them, too: level by level, each person once."""
    found: dict[int, Said] = {}
    asked: set[int] = set()
    level = set(persons)
    while level:
        asked |= level
        said = standing(level)
        found |= said
        level = {one.referrer_id for one in said.values() if one.referrer_id is not None} - asked
    return found


@seeing(CHAIN_WIDE)
def spoken_of(customer_ids: Collection[int]) -> bool:
    """Whether any statement is about one of these records or names one: of most customers there is none."""
    return Referral.objects.filter(Q(customer__in=customer_ids) | Q(referrer__in=customer_ids)).exists()


def referrer_of(customer_id: int) -> Said | None:
    """What holds of this customer, or None where nobody spoke of it. A record that is read as another has hers."""
    person = family_of(customer_id)[0]
    return standing([person]).get(person)


@dataclass(frozen=True)
class Brought:
    """A person whom she brought, and the day."""

    customer_id: int
    on: dt.date


BROUGHT = """
SELECT brought_id, business_date FROM live.referrals
WHERE customer_id = %s AND business_date <= %s ORDER BY business_date DESC, brought_id DESC
"""


@seeing(CHAIN_WIDE)
def brought_by(person_id: int, *, today: dt.date) -> list[Brought]:
    """Whom she brought, the latest first. The numbers of persons whom the asker may not see are among them."""
    with connection.cursor() as sql:
        sql.execute(BROUGHT, [person_id, today])
        return [Brought(customer, day) for customer, day in sql.fetchall()]


@seeing(CHAIN_WIDE)
def history(customer_ids: Collection[int]) -> list[Referral]:
    """Everything that was said of her, the earliest first; what was taken back as well."""
    rows = Referral.objects.filter(customer__in=customer_ids).select_related("referrer", "staff")
    return list(rows.order_by("pk"))


def living(customer_ids: Collection[int]) -> dict[int, Customer]:
    """Record -> the person as whom it is read, of those who are known and not erased."""
    rows = {one.pk: one for one in Customer.objects.filter(pk__in=customer_ids)}
    others = {one.merged_into_id for one in rows.values() if one.merged_into_id} - rows.keys()
    rows |= {one.pk: one for one in Customer.objects.filter(pk__in=others)}
    found = {pk: rows[one.merged_into_id or pk] for pk, one in rows.items() if (one.merged_into_id or pk) in rows}
    return {pk: one for pk, one in found.items() if one.is_active and not one.is_erased}
