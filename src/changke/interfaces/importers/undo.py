"""Undo of a load: its facts are withdrawn, its customers hidden where nothing else knows them, and profile fields it
wrote over take their former value. No fact is deleted."""

import datetime as dt
from dataclasses import dataclass, replace

from django.db import connection

from changke.facts.consents.services.intake import withdraw_consents
from changke.facts.customers.services.hide import hide
from changke.facts.customers.services.intake_notes import forget_notes
from changke.facts.customers.services.intake_tags import source_of
from changke.facts.customers.services.keep import let_go
from changke.facts.customers.services.put_back import BROUGHT, put_back, take_names_off, take_tags_off
from changke.facts.events.services import withdraw_events
from changke.facts.fields.services.intake import put_back_values
from changke.facts.purchases.services.withdraw import withdraw_purchases
from changke.facts.referrals.services.intake import withdraw_referrals
from changke.facts.visits.services.withdraw import withdraw_visits
from changke.foundation.batches.services import begin_withdrawal, finish_withdrawal
from changke.foundation.database.statistics import analyze

ASKED = ("facts_customer", "facts_receipt", "facts_visit", "facts_opening", "facts_event", "facts_note", "facts_tag",
         "facts_consent", "facts_referral")  # fmt: skip
"""Tables that say whether anything else knows a customer."""


def undo(batch_id: int, *, now: dt.datetime) -> int:
    """Withdraw everything the batch brought; how many facts. Safe to repeat after a crash."""
    begin_withdrawal(batch_id)
    withdrawn = withdraw_purchases(batch_id=batch_id) + withdraw_visits(batch_id=batch_id)
    withdrawn += withdraw_events(batch_id=batch_id)
    forget_notes(batch_id)
    let_go(batch_id)
    take_tags_off(batch_id)
    withdraw_consents(batch_id=batch_id)
    withdraw_referrals(batch_id=batch_id)
    analyze(ASKED)
    hide(known_by_nobody_else(batch_id))
    put_back(batch_id)
    take_names_off(batch_id)
    put_back_values(batch_id)
    finish_withdrawal(batch_id, now=now)
    return withdrawn


@dataclass(frozen=True)
class Leaving:
    """What an undo would take out of the numbers."""

    receipts: int
    visits: int
    openings: int
    customers: int
    """Made by this batch, and nothing from anywhere else speaks of them."""
    cash_minor: int
    tags: int
    profiles: int
    """Customers known before, of whose profile the batch changed something."""
    notes: int
    kept: int
    """Rows that wait for a room which is not built yet."""
    known_otherwise: int
    """Customers whom this batch made and of whom something else speaks by now: they stay."""
    identifiers: int
    """Phones, e-mails and numbers it added to customers known before: they stay, for they may have found her since."""
    names: int
    """Cards and union ids it added to customers known before: they come off."""
    own: int
    """Customers known before, of whose own fields the batch changed something."""
    consents: int
    """What she said yes or no to, as the file has it."""
    referrals: int
    """Who brought whom, as the file has it."""


def leaving(batch_id: int) -> Leaving:
    """What an undo would take away, before anybody decides."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT
              (SELECT count(*) FROM facts_receipt WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL),
              (SELECT count(*) FROM facts_visit WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL),
              (SELECT count(*) FROM facts_opening WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL),
              (SELECT count(*) FROM facts_customer AS customer WHERE batch_id = %(batch)s AND is_active
                 AND NOT EXISTS (SELECT FROM facts_receipt WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_visit WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_opening WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_event WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND kind <> 'stage.changed' AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_note WHERE customer_id = customer.id
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_tag WHERE customer_id = customer.id AND source <> %(tags)s)
                 AND NOT EXISTS (SELECT FROM facts_consent WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_referral WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_referral WHERE referrer_id = customer.id AND withdrawn_by_id IS NULL
                                 AND batch_id IS DISTINCT FROM %(batch)s)
                 AND NOT EXISTS (SELECT FROM facts_customer AS other WHERE other.merged_into_id = customer.id)),
              (SELECT coalesce(sum(CASE kind WHEN 'return' THEN -cash_minor ELSE cash_minor END), 0)
               FROM facts_receipt WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL),
              (SELECT count(*) FROM facts_tag WHERE source = %(tags)s),
              (SELECT count(*) FROM facts_replaced WHERE batch_id = %(batch)s),
              (SELECT count(*) FROM facts_note WHERE batch_id = %(batch)s),
              (SELECT count(*) FROM facts_kept WHERE batch_id = %(batch)s),
              (SELECT count(*) FROM facts_customer WHERE batch_id = %(batch)s AND is_active),
              (SELECT count(*) FROM facts_identifier AS known JOIN facts_customer AS customer
                 ON customer.id = known.customer_id
               WHERE known.batch_id = %(batch)s AND customer.batch_id IS DISTINCT FROM %(batch)s
                 AND NOT known.kind = ANY(%(brought)s)),
              (SELECT count(*) FROM facts_identifier AS known JOIN facts_customer AS customer
                 ON customer.id = known.customer_id
               WHERE known.batch_id = %(batch)s AND customer.batch_id IS DISTINCT FROM %(batch)s
                 AND known.kind = ANY(%(brought)s)),
              (SELECT count(DISTINCT customer_id) FROM facts_fieldreplaced WHERE batch_id = %(batch)s),
              (SELECT count(*) FROM facts_consent WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL),
              (SELECT count(*) FROM facts_referral WHERE batch_id = %(batch)s AND withdrawn_by_id IS NULL)
            """,
            {"batch": batch_id, "tags": source_of(batch_id), "brought": [kind.value for kind in BROUGHT]},
        )
        found = Leaving(*(int(value) for value in cursor.fetchone()))
        return replace(found, known_otherwise=found.known_otherwise - found.customers)


def known_by_nobody_else(batch_id: int) -> list[int]:
    """Customers whom the batch made, or showed again, and about whom no living fact, note or tag speaks."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM facts_customer AS customer
            WHERE is_active AND (batch_id = %(batch)s OR id IN (
                SELECT customer_id FROM facts_replaced WHERE batch_id = %(batch)s AND before ? 'is_active'))
              AND NOT EXISTS (SELECT FROM facts_receipt WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_visit WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_opening WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_event WHERE customer_id = customer.id AND withdrawn_by_id IS NULL
                              AND kind <> 'stage.changed')
              AND NOT EXISTS (SELECT FROM facts_note WHERE customer_id = customer.id)
              AND NOT EXISTS (SELECT FROM facts_tag WHERE customer_id = customer.id)
              AND NOT EXISTS (SELECT FROM facts_consent WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_referral WHERE customer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_referral WHERE referrer_id = customer.id AND withdrawn_by_id IS NULL)
              AND NOT EXISTS (SELECT FROM facts_customer AS other WHERE other.merged_into_id = customer.id)
            ORDER BY id
            """,
            {"batch": batch_id},
        )
        return [row[0] for row in cursor.fetchall()]
