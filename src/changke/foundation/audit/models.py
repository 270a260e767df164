"""The audit trail: lines that are only ever added."""

from django.db import models

from changke.foundation.audit import rules
from changke.foundation.database.append_only import AppendOnly


class AuditLine(AppendOnly):
    """Who did what to what, when and from where, with the values before and after.

    Appended only, by grant and trigger. The one exception is the erasure of a person: the values of lines about her
    may be blanked, once; the line, its digest and therefore the chain stay. So may lines of former versions that kept
    a search, when another line says the same without it (`services.restate`).
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
    sealed = models.BinaryField(null=True)
    """What a line about a person says of her, as ciphertext under her key: `before`, `after` and `reason` hold a mark
    in its place. NULL where nothing is to hide, and in lines of former versions."""
    salt = models.BinaryField(null=True)
    """Erased with the values."""
    contents = models.BinaryField()
    """SHA-256 over salt, values and ciphertext."""

    class Meta:
        indexes = [
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

    def digest(self) -> bytes:
        """Of everything that never changes. Values enter through `contents`, so that they can be erased."""
        return rules.digest_of((
            self.pk, self.at, self.actor_kind, self.actor_id, self.actor_name, self.address, self.request_id,
            self.action, self.subject, self.customer_id, bytes(self.contents),
        ))  # fmt: skip

    def says_what_was_hashed(self) -> bool:
        """Whether the values are those of the day they were written; blanked ones say nothing."""
        if self.salt is None:
            return self.before is None and self.after is None and not self.reason and self.sealed is None
        again = rules.contents(
            salt=bytes(self.salt), before=self.before, after=self.after, reason=self.reason,
            sealed=None if self.sealed is None else bytes(self.sealed),
        )  # fmt: skip
        return again == bytes(self.contents)


class AuditUnsealed(models.Model):
    """Lines that no seal holds yet. A trigger adds them, whoever wrote the line; the seal takes them.

    A table and not a position: an id becomes visible late when its transaction does, and after a restore on another
    server transaction ids mean something else. What is here is what is missing, in every such case.
    """

    line = models.OneToOneField(
        AuditLine, primary_key=True, on_delete=models.PROTECT, related_name="+", db_constraint=False
    )


class AuditSeal(AppendOnly):
    """A link of the chain: a proof for every line since the seal before, and that seal's digest. Never changed."""

    previous = models.BinaryField(unique=True)
    """Unique, so that the chain cannot fork."""
    digest = models.BinaryField()
    proofs = models.BinaryField()
    rows = models.PositiveIntegerField()
    total = models.BigIntegerField()
    """Lines sealed so far, this seal included."""
    sealed_at = models.DateTimeField()


class AuditCheck(models.Model):
    """What a verification of the whole trail found; the page shows the last one."""

    checked_at = models.DateTimeField()
    seconds = models.FloatField()
    lines = models.BigIntegerField()
    unsealed = models.BigIntegerField()
    broken_count = models.BigIntegerField()
    broken = models.JSONField(default=list)
    """The first of them, each as kind, line or seal, and a moment."""

    class Meta:
        ordering = ["-id"]


GUARD_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_audit_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    -- The one exception: the values of a line about a person are blanked with her erasure, and those of a line that
    -- kept what somebody searched for, once they are said again without it.
    IF (OLD.customer_id IS NOT NULL OR OLD.action IN ('export.made', 'customers.bulk_edited'))
       AND NEW.before IS NULL AND NEW.after IS NULL AND NEW.reason = '' AND NEW.salt IS NULL
       AND to_jsonb(NEW) - '{before,after,reason,salt,sealed}'::text[]
       = to_jsonb(OLD) - '{before,after,reason,salt,sealed}'::text[]
    THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'the audit trail is only ever added to, never edited (table %)', TG_TABLE_NAME
    USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""

QUEUE_FUNCTION = """
CREATE OR REPLACE FUNCTION changke_audit_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO foundation_auditunsealed (line_id) VALUES (NEW.id);
  RETURN NULL;
END $$;
"""
