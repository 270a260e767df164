"""The audit trail: lines that are only ever added."""

from django.db import models

from changke.foundation.database.append_only import Xid8Field, current_xid


class AuditLine(models.Model):
    """Who did what to what, when and from where, with the values before and after.

    Appended only, by grant and trigger. The one exception is the erasure of a person: the values of lines about her
    may be blanked, once; the line, its digest and therefore the chain stay.
    """

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=10)
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=120)
    """As it was then: no foreign key, so that a line never changes and never keeps anybody from being deleted."""
    address = models.CharField(max_length=60, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    action = models.CharField(max_length=60)
    """What was done, for programs: `chain.changed`; its words stand at the roof."""
    subject = models.CharField(max_length=80)
    """To what: `store:3`, `customer:12`, `batch:7`."""
    customer_id = models.BigIntegerField(null=True)
    """Whom it concerns, so that her page can show it and her erasure find it."""
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.TextField(blank=True)
    salt = models.BinaryField(null=True)
    """Erased with the values."""
    contents = models.BinaryField()
    """SHA-256 over salt and values."""
    txid = Xid8Field(db_default=current_xid(), editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["txid", "id"], name="auditline_txid"),
            models.Index(fields=["at", "id"], name="auditline_at"),
            models.Index(fields=["subject", "at", "id"], name="auditline_subject"),
            models.Index(fields=["action", "at", "id"], name="auditline_action"),
            models.Index(fields=["actor_kind", "actor_id", "at", "id"], name="auditline_actor"),
            models.Index(
                fields=["customer_id", "at", "id"],
                name="auditline_customer",
                condition=models.Q(customer_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


BLANKED = ("before", "after", "reason", "salt")
"""The columns that the erasure of a person empties."""

GUARD_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- The one exception: the values of a line about a person are blanked with her erasure.
    IF OLD.customer_id IS NOT NULL AND NEW.before IS NULL AND NEW.after IS NULL AND NEW.reason = '' AND NEW.salt IS NULL
       AND to_jsonb(NEW) - '{before,after,reason,salt}'::text[] = to_jsonb(OLD) - '{before,after,reason,salt}'::text[]
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit trail is only ever added to, never edited (table %)', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
