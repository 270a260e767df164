"""Sealing: every few seconds what was added since becomes a link of the chain."""

import datetime as dt

from django.db import connection, transaction

from changke.foundation.audit import rules
from changke.foundation.audit.models import AuditLine, AuditSeal

MOST_LINES = 10_000
"""Of one seal: about half a second. The next seal takes the rest."""

TAKE = """
DELETE FROM foundation_auditunsealed WHERE line_id = ANY(ARRAY(
  SELECT line_id FROM foundation_auditunsealed ORDER BY line_id LIMIT %s))
RETURNING line_id
"""


@transaction.atomic
def seal(*, now: dt.datetime, most: int = MOST_LINES) -> AuditSeal | None:
    """Seal the lines that no seal holds yet; None where there are none.

    Writers wait for nobody: a line whose transaction ends late is not seen here and is in the next seal. Two sealers
    wait for each other.
    """
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtext('audit_seal'))")
        sql.execute(TAKE, [most])
        waiting = sorted(line for (line,) in sql.fetchall())
    if not waiting:
        return None
    lines = AuditLine.objects.in_bulk(waiting)
    packed = rules.packed([rules.Proof(line, lines[line].digest()) for line in waiting])
    head = AuditSeal.objects.order_by("-id").defer("proofs").first()
    previous = bytes(head.digest) if head else rules.GENESIS
    return AuditSeal.objects.create(
        previous=previous,
        digest=rules.link(previous=previous, sealed_at=now, proofs=packed),
        proofs=packed,
        rows=len(waiting),
        total=(head.total if head else 0) + len(waiting),
        sealed_at=now,
    )
