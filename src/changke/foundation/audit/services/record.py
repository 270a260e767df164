"""The verb that every change of a setting or a rule calls, in its own transaction."""

import datetime as dt
import secrets
from collections.abc import Mapping

from changke.foundation.audit import rules
from changke.foundation.audit.models import AuditLine
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE

SALT_BYTES = 16


def record(
    *,
    by: rules.By,
    action: str,
    subject: str,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
    customer_id: int | None = None,
    now: dt.datetime,
) -> None:
    """Add one line, in the transaction of what was done: both or neither.

    Of `before` and `after` only the fields that differ are kept; where both are given and nothing differs, nothing was
    done and there is no line. Values hold no phone in clear: pass it masked.
    """
    was, is_now = rules.difference(before, after)
    if before is not None and after is not None and not was and not is_now:
        return
    salt = secrets.token_bytes(SALT_BYTES)
    with seeing(CHAIN_WIDE):  # a line is the chain's, whoever writes it and whosever rows she sees
        AuditLine.objects.create(
            at=now,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_name=by.name[:120],
            address=by.address[:60],
            request_id=by.request_id[:40],
            action=action,
            subject=subject,
            customer_id=customer_id,
            before=was,
            after=is_now,
            reason=reason.replace("\x00", ""),
            salt=salt,
            contents=rules.contents(salt=salt, before=was, after=is_now, reason=reason.replace("\x00", "")),
        )
