"""Kept deliveries become facts, many in one transaction and each safe to repeat.

The oldest that are kept are locked, read, and written together: whom they are about, their places and their facts cost
a few statements for all of them instead of forty for each. Of several about one subject (an order, a later version of
it, its refund) one goes in per turn, so that each finds what the one before it left. What cannot be written together
is tried by halves, down to the one delivery that cannot be written at all: it is marked, and holds nobody up.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models.functions import Length

from changke.foundation.intake import MOST_PER_BATCH
from changke.foundation.organisation.queries import the_chain
from changke.interfaces.webhooks.models import DeliveryState, WebhookAddress, WebhookDelivery
from changke.interfaces.webhooks.services.addresses import wake
from changke.interfaces.webhooks.services.record import note_wish, record
from changke.interfaces.webhooks.services.whereabouts import find_orders, find_places
from changke.interfaces.webhooks.services.work import Key, Work, read

AT_ONCE = 100
"""Deliveries of one transaction: some tenths of a second on a busy machine, and no writer may hold the readers'
cursors for a whole one."""
MOST_BYTES = 8 * 1024 * 1024
"""Of their letters together, unless one alone is larger: all of them are in memory at once."""

log = logging.getLogger(__name__)


def process_some(now: dt.datetime) -> bool:
    """Turn kept deliveries into facts, the oldest first; whether there is more to do."""
    return process(_oldest(), now=now) > 0 and WebhookDelivery.objects.filter(state=DeliveryState.RECEIVED).exists()


def _oldest() -> list[int]:
    """As many as are read at once."""
    waiting = WebhookDelivery.objects.filter(state=DeliveryState.RECEIVED).annotate(size=Length("letter"))
    ids: list[int] = []
    bytes_left = MOST_BYTES
    for pk, size in waiting.order_by("pk").values_list("pk", "size")[:AT_ONCE]:
        bytes_left -= size or 0
        if ids and bytes_left < 0:
            break
        ids.append(pk)
    return ids


def process(ids: Sequence[int], *, now: dt.datetime) -> int:
    """How many of these are settled; the others wait for the next turn. A surprise is said in the log and on the page
    of the one delivery that it lies in."""
    if not ids:
        return 0
    try:
        with transaction.atomic():
            return _together(ids, now=now)
    except Exception as error:
        if len(ids) > 1:
            half = len(ids) // 2
            return process(ids[:half], now=now) + process(ids[half:], now=now)
        log.exception("delivery %s cannot be processed", ids[0])
        with transaction.atomic():
            broken = WebhookDelivery.objects.filter(pk=ids[0], state=DeliveryState.RECEIVED)
            return broken.update(
                state=DeliveryState.FAILED, reason="crashed", detail=type(error).__name__, processed_at=now
            )


def _together(ids: Sequence[int], *, now: dt.datetime) -> int:
    """Lock, read and write those of them that nobody else has and that do not wait for each other; how many."""
    chain = the_chain()
    waiting = WebhookDelivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("address")
    locked = waiting.filter(pk__in=ids, state=DeliveryState.RECEIVED).order_by("pk")
    works = _one_of_each([read(delivery, chain) for delivery in locked])
    _one_after_the_other({key for work in works for key in work.keys})
    _ignore_old(works)
    find_places(works, now=now)
    find_orders(works)
    record([work for work in works if not work.changes and work.told.wish is None], chain, now=now)
    for work in works:
        if work.told.wish is not None and not work.changes:
            note_wish(work, now=now)
    _write(works, now=now)
    _wake(works)
    return len(works)


def _one_of_each(works: Iterable[Work]) -> list[Work]:
    """The first of each subject, and no more facts than one call may bring."""
    chosen: list[Work] = []
    seen: set[Key] = set()
    facts = 0
    for work in works:
        facts += len(work.told.facts) + len(work.told.returns) + 1
        if chosen and facts > MOST_PER_BATCH:
            break
        if seen.isdisjoint(work.keys):
            chosen.append(work)
        seen |= work.keys
    return chosen


def _one_after_the_other(keys: Iterable[Key]) -> None:
    """Two workers with letters about one subject wait for each other here, in one order and before either has looked
    for what the other may be writing."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(subject, 0)) FROM unnest(%s::text[]) AS subject",
            [sorted(f"webhook:{address}:{subject}" for address, subject in keys)],
        )


def _ignore_old(works: Sequence[Work]) -> None:
    """Those of which a later version is in."""
    asked = {work.delivery.pk: work for work in works if work.told.subject and not work.changes}
    with connection.cursor() as sql:
        sql.execute(
            """
            SELECT DISTINCT told.id
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::bigint[]) AS told (id, address_id, subject, version)
            JOIN interfaces_webhookdelivery AS later
              ON later.address_id = told.address_id AND later.subject = told.subject AND later.version > told.version
            WHERE later.state = 'done'
            """,
            [
                list(asked),
                [work.delivery.address_id for work in asked.values()],
                [work.told.subject for work in asked.values()],
                [work.told.version for work in asked.values()],
            ],
        )
        for (pk,) in sql.fetchall():
            asked[pk].changes = {"state": DeliveryState.IGNORED, "reason": "older"}


def _write(works: Sequence[Work], *, now: dt.datetime) -> None:
    """How each stands now, in one statement."""
    if not works:
        return
    for work in works:
        for name, value in {"reason": "", "detail": "", "waits_for": "", **work.changes}.items():
            setattr(work.delivery, name, value)
    rows = [
        (
            one.pk, one.state, one.reason, one.detail, one.subject, one.version, one.waits_for, one.number,
            one.store_id, f"{{{','.join(map(str, one.customer_ids))}}}", one.created_count,
        )
        for one in (work.delivery for work in works)
    ]  # fmt: skip
    with connection.cursor() as sql:
        sql.execute(
            """
            UPDATE interfaces_webhookdelivery AS deliveries
            SET state = told.state, reason = told.reason, detail = told.detail, subject = told.subject,
                version = told.version, waits_for = told.waits_for, number = told.number, store_id = told.store_id,
                customer_ids = told.customer_ids::bigint[], created_count = told.created_count, processed_at = %s
            FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                        %s::text[], %s::bigint[], %s::text[], %s::int[])
              AS told (id, state, reason, detail, subject, version, waits_for, number, store_id, customer_ids,
                       created_count)
            WHERE deliveries.id = told.id
            """,
            [now, *(list(column) for column in zip(*rows, strict=True))],
        )


def _wake(works: Sequence[Work]) -> None:
    """Refunds that waited for these orders are looked at again."""
    came: dict[WebhookAddress, list[str]] = {}
    for work in works:
        if work.outcomes and work.told.purchase and work.told.order:
            came.setdefault(work.delivery.address, []).append(f"order:{work.told.order}")
    for address, orders in came.items():
        wake(address, orders)
