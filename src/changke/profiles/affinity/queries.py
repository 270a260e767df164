"""Whom the tag rules speak of, and what is proposed to her."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection

from changke.engine.affinity import Weights
from changke.facts.catalog.models import Item
from changke.facts.customers.models import Customer, Tag
from changke.facts.customers.services.ruled_tags import Ruled
from changke.profiles.affinity.models import AffinityFit, Proposal
from changke.profiles.affinity.needs import Group, asked_of, liked_in_her_group
from changke.profiles.affinity.rules import SOON

# Of several purchases that say the same the latest is the evidence. A first order is one that no living receipt of hers
# came before; which of two on one day was first is told by their ids.
SPOKEN_OF = """
SELECT DISTINCT ON (person, rule.tag)
  CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END AS person, rule.tag, rule.name, receipt.id
FROM profiles_tagrule AS rule
JOIN facts_item AS item ON item.id = rule.item_id OR item.category_id = rule.category_id
JOIN facts_line AS line ON line.item_id = item.id
JOIN facts_receipt AS receipt ON receipt.id = line.receipt_id
JOIN facts_customer AS record ON record.id = receipt.customer_id
WHERE {which} AND receipt.kind IN ('sale', 'use')
  AND receipt.withdrawn_by_id IS NULL
  AND (rule.occasion = 'any' OR NOT EXISTS (
    SELECT FROM facts_customer AS hers JOIN facts_receipt AS before ON before.customer_id = hers.id
    WHERE CASE WHEN hers.merged_into_id IS NULL
    THEN hers.id ELSE hers.merged_into_id END = CASE WHEN record.merged_into_id IS NULL
    THEN record.id ELSE record.merged_into_id END
      AND before.kind IN ('sale', 'use')
      AND before.withdrawn_by_id IS NULL
      AND (before.business_date, before.id) < (receipt.business_date, receipt.id)))
ORDER BY person, rule.tag, receipt.business_date DESC, receipt.id DESC
"""
IN_WINDOW = "rule.is_active AND receipt.txid >= %(since)s::text::xid8 AND receipt.txid < %(below)s::text::xid8"
OF_CUSTOMERS = "rule.id = %(rule)s AND receipt.customer_id > %(after)s AND receipt.customer_id <= %(until)s"


def spoken_of_since(since: int, below: int) -> list[Ruled]:
    """What the active rules say of the purchases that came in with these transactions."""
    return _ruled(IN_WINDOW, {"since": since, "below": below})


def spoken_of_between(rule_id: int, after: int, until: int) -> list[Ruled]:
    """What one rule says of all purchases of the customers with these ids: `after` excluded, `until` included."""
    return _ruled(OF_CUSTOMERS, {"rule": rule_id, "after": after, "until": until})


def _ruled(which: str, values: Mapping[str, Any]) -> list[Ruled]:
    with connection.cursor() as sql:
        sql.execute(SPOKEN_OF.format(which=which), values)
        return [Ruled(customer, tag, rule, f"receipt:{receipt}") for customer, tag, rule, receipt in sql.fetchall()]


def affinity_fits(*, most: int = 20) -> list[AffinityFit]:
    """The weights that nights proposed by, the newest first."""
    return list(AffinityFit.objects.order_by("-observation_end")[:most])


def weights_of(fit: AffinityFit | None) -> Weights | None:
    """What the engine can be asked; None of none, and of what an earlier version learnt with other parts."""
    try:
        return Weights.from_dict(fit.parameters) if fit else None
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True)
class Proposed:
    """An item to propose to her, with the reason as data: what the numbers are of is in docs/algorithms/affinity.md.

    `chance_bp` is None where her past says nothing of it. `tag` is what asks for it, with its evidence; `group` whose
    members had it.
    """

    item: Item
    chance_bp: int | None
    reason: str
    times: int
    last_on: dt.date | None
    cycle_days: int | None
    alike: int
    similar: int
    goes_with: Item | None
    recent_customers: int
    tag: Tag | None = None
    group: Group | None = None


MOST = 6
MOST_ASKED = 3
"""Of all that is proposed, what her tags ask for."""


def proposed_to(customer: Customer, *, personal: bool) -> list[Proposed]:
    """Best first, without items taken off: what her tags ask for, then what her past says; of whoever has none, what
    her group has most. `personal`: whether anything may be chosen for her (`personalised`)."""
    if not personal:
        return []
    kept = Proposal.objects.filter(pk=customer.pk).first()
    past = _past(kept) if kept else []
    asked = _asked(customer.pk, kept, {one.item.pk: one for one in past})
    first = {one.item.pk for one in asked}
    rest = past if kept else [_of_group(item, group) for item, group in liked_in_her_group(customer)]
    return [*asked, *(one for one in rest if one.item.pk not in first)][:MOST]


def _past(kept: Proposal) -> list[Proposed]:
    wanted = {one[name] for one in kept.items for name in ("item", "goes_with") if one[name]}
    items = {item.pk: item for item in Item.objects.filter(pk__in=wanted)}
    return [
        Proposed(
            item=items[one["item"]],
            chance_bp=one["chance_bp"],
            reason=one["reason"],
            times=one["times"],
            last_on=dt.date.fromisoformat(one["last_on"]) if one["last_on"] else None,
            cycle_days=one["cycle_days"],
            alike=one["alike"],
            similar=one["similar"],
            goes_with=items.get(one["goes_with"]),
            recent_customers=one["recent_customers"],
        )
        for one in kept.items
        if one["item"] in items and items[one["item"]].is_active
    ]


def _asked(customer_id: int, kept: Proposal | None, past: Mapping[int, Proposed]) -> list[Proposed]:
    """What her tags ask for and she has not just had: numbers of her own where the night knows them."""
    found: list[Proposed] = []
    for one in asked_of(customer_id):
        said = past.get(one.item.pk) or _never(one.item)
        if said.last_on is None and kept and (had := kept.had.get(str(one.item.pk))):
            said = replace(said, times=had[0], last_on=dt.date.fromisoformat(had[1]))
        cycle = said.cycle_days or one.item.usual_cycle_days
        if kept and said.last_on and cycle and (kept.as_of - said.last_on).days < SOON * cycle:
            continue
        found.append(replace(said, reason="need", tag=one.tag, group=one.learnt))
        if len(found) == MOST_ASKED:
            break
    return found


def _of_group(item: Item, group: Group) -> Proposed:
    return replace(_never(item), reason="group", group=group)


def _never(item: Item) -> Proposed:
    return Proposed(item, None, "", 0, None, None, 0, 0, None, 0)
