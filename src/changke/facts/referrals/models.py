"""Who brought whom: stated, never edited; what was stated last holds."""

from django.conf import settings
from django.db import models

from changke.facts.customers.models import Customer
from changke.foundation.database.append_only import Fact, fact_constraints, fact_indexes


class How(models.TextChoices):
    """How we came to know."""

    BY_HAND = "by_hand"
    FILE = "file"
    MACHINE = "machine"


class Referral(Fact):
    """One statement: she was brought by this customer, or (None) by nobody we know. `business_date` is the day on which
    she was brought. Erasing either of them empties `referrer`."""

    customer = models.ForeignKey(Customer, on_delete=models.PROTECT, related_name="+", db_index=False)
    """Whom it is about."""
    referrer = models.ForeignKey(Customer, null=True, on_delete=models.PROTECT, related_name="+", db_index=False)
    how = models.CharField(max_length=10, choices=How.choices)
    staff = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    """Who wrote it down."""

    class Meta:
        constraints = [
            *fact_constraints("referral"),
            models.CheckConstraint(
                condition=models.Q(referrer__isnull=True) | ~models.Q(referrer=models.F("customer")),
                name="referral_of_two",
            ),
        ]
        indexes = [
            *fact_indexes("referral"),
            # Withdrawn ones too: whoever was named once is computed again when they change.
            models.Index(fields=["customer", "-id"], name="referral_customer"),
            models.Index(fields=["referrer"], name="referral_referrer", condition=models.Q(referrer__isnull=False)),
        ]


GUARD = "changke_referral_guard"
GUARD_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- Two exceptions: it is withdrawn, once; and the name of who brought her is emptied, when a person is erased.
  IF TG_OP = 'UPDATE' AND NEW.txid = pg_current_xact_id()
     AND (NEW.referrer_id IS NULL OR NEW.referrer_id = OLD.referrer_id)
     AND (OLD.withdrawn_by_id IS NULL OR OLD.withdrawn_by_id = NEW.withdrawn_by_id)
     AND to_jsonb(NEW) - 'withdrawn_by_id' - 'referrer_id' - 'txid'
       = to_jsonb(OLD) - 'withdrawn_by_id' - 'referrer_id' - 'txid' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'facts are corrected by a further fact, never edited (table %)', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
