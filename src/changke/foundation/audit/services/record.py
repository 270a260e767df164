"""The verb that every change of a setting or a rule calls, in its own transaction."""

import datetime as dt
import json
import secrets
from collections.abc import Collection, Mapping

from changke.foundation.audit import rules
from changke.foundation.audit.models import AuditLine
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.services.keys import sealed_for

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
    codes: Collection[str] = (),
    now: dt.datetime,
) -> None:
    """Add one line, in the transaction of what was done: both or neither.

    Of `before` and `after` only the fields that differ are kept; where both are given and nothing differs, nothing was
    done and there is no line. Values hold no phone in clear: pass it masked.

    Of a line about a person (`customer_id`) the values and the reason are sealed under her key, and the table shows a
    mark; but for `codes`, the fields that hold codes and numbers of things and say nothing of her.
    """
    was, is_now = rules.difference(before, after)
    if before is not None and after is not None and not was and not is_now:
        return
    salt, reason, sealed = secrets.token_bytes(SALT_BYTES), reason.replace("\x00", ""), None
    if customer_id is not None and action != rules.ERASED:  # that line is written when her key is gone
        (was, hers), (is_now, hers_now) = rules.apart(was, codes), rules.apart(is_now, codes)
        if hers or hers_now or reason:
            told = json.dumps({"before": hers, "after": hers_now, "reason": reason}, ensure_ascii=False)
            sealed = sealed_for(customer_id, told, rules.place_of(salt))
            reason = rules.MASK if reason else ""
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
            reason=reason,
            sealed=sealed,
            salt=salt,
            contents=rules.contents(salt=salt, before=was, after=is_now, reason=reason, sealed=sealed),
        )
