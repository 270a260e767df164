"""Groups are rules of the chain: every change of one is a line, and can be put back."""

import datetime as dt
from collections.abc import Mapping

from changke.foundation.audit.kinds import Kind, leave_out, register
from changke.foundation.audit.rules import By, Values
from changke.profiles.segments.models import Segment
from changke.profiles.segments.services.save import as_audited, save_segment


def _now(key: str) -> Values | None:
    one = Segment.objects.filter(pk=key).first()
    return as_audited(one) if one else None


def _restore(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    one = Segment.objects.get(pk=key)
    was = {**as_audited(one), **values}
    save_segment(one, name=str(was["name"]), text=str(was["text"]), is_tracked=bool(was["is_tracked"]), by=by, now=now)


register(
    Kind("segment", ("profiles_segment",), "segments.manage", _now, _restore, frozenset({"name", "text", "is_tracked"}))
)
leave_out("profiles_segmentmember", "computed from facts; a frozen list is written by the line that freezes it")
