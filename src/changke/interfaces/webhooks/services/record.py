"""What deliveries say is written down: people first, then all facts of all of them in one call."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

from changke.facts.catalog.models import Item
from changke.facts.customers.services.meet import find, reference
from changke.facts.purchases.services.correct import withdraw_receipt
from changke.facts.purchases.services.record import ReceiptNumberTaken
from changke.foundation.errors import DomainError
from changke.foundation.intake import Outcome, Taken, Waits
from changke.foundation.organisation.models import Chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.interfaces.api.errors import said
from changke.interfaces.api.v1.facts import take_in
from changke.interfaces.webhooks.models import DeliveryState, PrivacyRequest
from changke.interfaces.webhooks.services.people import Someone, met
from changke.interfaces.webhooks.services.work import Changes, Work


def record(works: Sequence[Work], chain: Chain, *, now: dt.datetime) -> None:
    for work in works:
        work.facts = _facts(work)
    _know_items([fact for work in works if work.store is not None for fact in work.facts])
    # First: who is known under another name of hers must not be written down a second time by her receipt.
    people = _people(works, chain, now=now)
    _take_in(works, chain, now=now)
    corrected = [work for work in works if _says_otherwise(work)]
    for work in corrected:
        # A later version of the order says something else: the earlier receipt is withdrawn, not edited.
        source, store = work.delivery.address.receipt_source, work.store
        assert store is not None, "its purchase was taken in"
        withdraw_receipt(source=source, store=store, number=work.number, title=f"{source} {work.number}", now=now)
    _take_in(corrected, chain, now=now)
    for work in works:
        work.delivery.number = work.number
        work.changes = {
            **_summed(work.outcomes),
            "store": work.store,
            "customer_ids": people.get(work.delivery.pk, []),
            "created_count": sum(isinstance(one, Taken) and one.is_new for one in work.outcomes),
        }


def _facts(work: Work) -> list[dict[str, Any]]:
    """In the words of the API. An order's purchase is the first of what is not complete by itself."""
    told = work.told
    facts = [dict(one) for one in told.facts]
    if work.store is not None:
        ours = {"store": work.store.code, "source": work.delivery.address.receipt_source}
        facts += [{**told.purchase, **_buyer(work), **ours}] if told.purchase else []
        facts += [{**one, **ours, "original_number": one["original_number"] or work.number} for one in told.returns]
    return facts


def _buyer(work: Work) -> dict[str, Any]:
    """By her number, where the source has one for her: a phone that a family shares finds the first of them alone."""
    if len(work.told.people) != 1:
        return {}
    number = next((name for name in work.told.people[0].names if "external_id" in name), None)
    return {"customer": {**number, "name": work.told.people[0].name}} if number else {}


def _says_otherwise(work: Work) -> bool:
    return bool(work.told.purchase and work.outcomes) and isinstance(work.outcomes[0], ReceiptNumberTaken)


def _take_in(works: Sequence[Work], chain: Chain, *, now: dt.datetime) -> None:
    """All facts of all of them at once; each is told what came of its own."""
    facts = [fact for work in works for fact in work.facts]
    outcomes = iter(take_in(facts, scope=CHAIN_WIDE, chain=chain, now=now) if facts else ())
    for work in works:
        work.outcomes = [next(outcomes) for _ in work.facts]


def _know_items(facts: Sequence[dict[str, Any]]) -> None:
    """Codes that our catalogue does not know are left out: the description says what it was."""
    lines = [line for fact in facts for line in fact.get("lines", ())]
    codes = {line["item"] for line in lines if "item" in line}
    known = set(Item.objects.filter(code__in=codes).values_list("code", flat=True)) if codes else set()
    for line in lines:
        if line.get("item") not in known:
            line.pop("item", None)


def _people(works: Sequence[Work], chain: Chain, *, now: dt.datetime) -> dict[int, list[int]]:
    """Whom each delivery is about."""
    someone = [
        (
            work.delivery.pk,
            Someone(
                names,
                person.name,
                work.store,
                work.delivery.address.source,
                business_date(now, work.store.time_zone if work.store else chain.time_zone),
            ),
        )
        for work in works
        for person, names in zip(work.told.people, work.names, strict=True)
    ]
    found: dict[int, set[int]] = {}
    for (pk, _), her in zip(someone, met([one for _, one in someone], now=now), strict=True):
        found.setdefault(pk, set()).add(her)
    return {pk: sorted(ids) for pk, ids in found.items()}


def note_wish(work: Work, *, now: dt.datetime) -> None:
    wish, address = work.told.wish, work.delivery.address
    assert wish is not None
    who = [reference("external", wish.external_id, address.source)] if wish.external_id else []
    known = find(who, scope=CHAIN_WIDE)
    if not known:  # her number came by no order: whoever has this phone or address, for a person to look at
        known = find([reference(kind, value) for name in wish.names for kind, value in name.items()], scope=CHAIN_WIDE)
    PrivacyRequest.objects.create(
        address=address,
        kind=wish.kind,
        external_id=wish.external_id,
        customer_ids=sorted(set(known.values())),
        received_at=now,
    )
    work.changes = {"state": DeliveryState.DONE}


def _summed(outcomes: list[Outcome]) -> Changes:
    """Done, unless something was refused: then the first refusal says why."""
    refused = [one for one in outcomes if isinstance(one, DomainError)]
    if refused:
        told = said(refused[0])
        where = f"{len(refused)}/{len(outcomes)}: " if len(outcomes) > 1 else ""
        return {"state": DeliveryState.FAILED, "reason": told["code"], "detail": (where + told["message"])[:400]}
    waits = any(isinstance(one, Waits) for one in outcomes)
    return {"state": DeliveryState.DONE, "reason": "return_waits" if waits else ""}
