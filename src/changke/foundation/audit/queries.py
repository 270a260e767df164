"""Reading the trail, and proving that nobody touched it."""

import datetime as dt
import json
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from django.db import transaction
from django.db.models import Min, Q

from changke.foundation.audit import rules
from changke.foundation.audit.heads import Head
from changke.foundation.audit.kinds import Kind, kind_of
from changke.foundation.audit.models import AuditLine, AuditSeal, AuditUnsealed
from changke.foundation.persons.cipher import BrokenSeal, unseal
from changke.foundation.persons.queries import keys_of

MOST_NAMED = 100
CHUNK = 2_000
SEALED_WITHIN = dt.timedelta(minutes=5)
"""A line that is older and unsealed: the worker is off."""

Breach = Literal["altered", "missing", "slipped_in", "blanked", "seal_altered", "seal_missing", "cut_off"]


@dataclass(frozen=True)
class Broken:
    """One thing that is not as it was. `line` or `seal` names it."""

    kind: Breach
    line: int | None = None
    seal: int | None = None


@dataclass
class Verification:
    """What the whole trail looks like. `broken` names the first of `broken_count`."""

    lines: int = 0
    seals: int = 0
    unsealed: int = 0
    unsealed_since: dt.datetime | None = None
    broken_count: int = 0
    broken: list[Broken] = field(default_factory=list)
    head: str = ""

    def found(self, broken: Broken) -> None:
        self.broken_count += 1
        if len(self.broken) < MOST_NAMED:
            self.broken.append(broken)


@transaction.atomic
def verify(*, heads: Sequence[Head] = ()) -> Verification:
    """Walk the chain and the lines side by side, each read once.

    Memory stays flat: one seal and one chunk of lines at a time, and those lines that were written before others and
    sealed after them. `heads` are what the file outside the database knows.
    """
    report = Verification()
    last = AuditSeal.objects.order_by("-id").values_list("id", flat=True).first() or 0
    erased = set(AuditLine.objects.filter(action=rules.ERASED).values_list("customer_id", flat=True))
    restated = set(AuditLine.objects.filter(action=rules.RESTATED).values_list("after__line", flat=True))
    lines = AuditLine.objects.order_by("id").iterator(chunk_size=CHUNK)
    passed: dict[int, AuditLine] = {}
    for proof in _proofs(last, {head.seal: head for head in heads}, report):
        line = passed.pop(proof.line_id, None)
        while line is None and (following := next(lines, None)) is not None:
            if following.pk == proof.line_id:
                line = following
                break
            passed[following.pk] = following
            if following.pk > proof.line_id:
                break
        if line is None:
            report.found(Broken("missing", line=proof.line_id))
        else:
            _compare(line, proof, erased, restated, report)
    _judge_unproven(array("q", (line.pk for line in chain(passed.values(), lines))), last, report)
    return report


def _proofs(last: int, expected: dict[int, Head], report: Verification) -> Iterator[rules.Proof]:
    """Every proof of the chain; on the way whether its links hold and contain the heads outside."""
    previous = rules.GENESIS
    for seal in AuditSeal.objects.filter(id__lte=last).order_by("id").iterator(chunk_size=5):
        report.seals += 1
        digest, proofs = bytes(seal.digest), bytes(seal.proofs)
        if bytes(seal.previous) != previous:
            report.found(Broken("seal_missing", seal=seal.pk))
        made = rules.link(previous=bytes(seal.previous), sealed_at=seal.sealed_at, proofs=proofs)
        outside = expected.pop(seal.pk, None)
        if made != digest or (outside is not None and outside.digest != digest.hex()):
            report.found(Broken("seal_altered", seal=seal.pk))
        previous = digest
        yield from rules.unpacked(proofs)
    report.head = previous.hex()
    for seal_id in sorted(expected):  # made once, and not there any more
        report.found(Broken("cut_off", seal=seal_id))


def _compare(
    line: AuditLine, proof: rules.Proof, erased: set[int | None], restated: set[int | None], report: Verification
) -> None:
    report.lines += 1
    if line.digest() != proof.digest or not line.says_what_was_hashed():
        report.found(Broken("altered", line=line.pk))
    elif line.salt is None and line.customer_id not in erased and line.pk not in restated:
        report.found(Broken("blanked", line=line.pk))


def _judge_unproven(unproven: "array[int]", last: int, report: Verification) -> None:
    """A line without a proof waits for its seal, got it while we walked, or was smuggled in.

    The queue is read before the later seals: what left it meanwhile is found in one of them.
    """
    if not unproven:
        return
    queued = set(AuditUnsealed.objects.values_list("line_id", flat=True))
    later = {
        proof.line_id
        for proofs in AuditSeal.objects.filter(id__gt=last).values_list("proofs", flat=True)
        for proof in rules.unpacked(bytes(proofs))
    }
    for line_id in unproven:
        if line_id in queued:
            report.unsealed += 1
        elif line_id not in later:
            report.found(Broken("slipped_in", line=line_id))
    report.unsealed_since = AuditUnsealed.objects.aggregate(since=Min("line__at"))["since"]


@dataclass(frozen=True)
class Restorable:
    """One field of a line: what it held before, what the line made of it, what stands there now."""

    name: str
    before: object
    after: object
    now: object

    @property
    def changed_since(self) -> bool:
        return self.now not in (self.after, self.before)


@dataclass(frozen=True)
class Preview:
    """What putting a line's values back would write, and to what."""

    kind: Kind
    key: str
    fields: list[Restorable]


def opened(lines: Sequence[AuditLine]) -> Sequence[AuditLine]:
    """The same lines saying what was sealed in them, for a page; nothing is written. Where her key is gone, or somebody
    changed the ciphertext, the mark stays: the verification names such a line."""
    hers = [line for line in lines if line.sealed is not None and line.salt is not None]
    keys = keys_of(sorted({line.customer_id for line in hers if line.customer_id is not None}))
    for line in hers:
        key = keys.get(line.customer_id or 0)
        if key is None or line.sealed is None or line.salt is None:
            continue
        try:
            told = json.loads(unseal(key, bytes(line.sealed), rules.place_of(bytes(line.salt))))
        except BrokenSeal:
            continue
        line.before = None if line.before is None else {**line.before, **told["before"]}
        line.after = None if line.after is None else {**line.after, **told["after"]}
        line.reason = told["reason"]
        line.sealed = None  # opened twice it is the same
    return lines


def preview(line: AuditLine) -> Preview | None:
    """What could be put back; None where the thing is gone, cannot be restored, or the line holds no values."""
    opened([line])
    if any(held == rules.MASK for side in (line.before, line.after) for held in (side or {}).values()):
        return None
    kind = kind_of(line.subject)
    key = line.subject.partition(":")[2]
    if kind is None or kind.restore is None or kind.now is None or line.before is None or line.after is None:
        return None
    stands = kind.now(key)
    if stands is None:
        return None
    held = {field: rules.plain(value) for field, value in stands.items()}
    fields = [
        Restorable(field, line.before.get(field), line.after.get(field), held[field])
        for field in sorted({*line.before, *line.after} & set(held))
    ]
    return Preview(kind, key, fields)


@dataclass(frozen=True)
class Wanted:
    """Which lines a page asks for; what is not said is not asked."""

    actor: tuple[str, int] | None = None
    action: str = ""
    subject: str = ""
    customer_id: int | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None


def lines_of(wanted: Wanted, *, before: int | None, most: int) -> list[AuditLine]:
    """The newest lines first; with `before` those behind that line. Pages by position: page 900 costs as page 1."""
    lines = AuditLine.objects.order_by("-at", "-id")
    if wanted.actor:
        lines = lines.filter(actor_kind=wanted.actor[0], actor_id=wanted.actor[1])
    for name in ("action", "subject", "customer_id"):
        if value := getattr(wanted, name):
            lines = lines.filter(**{name: value})
    if wanted.since:
        lines = lines.filter(at__gte=wanted.since)
    if wanted.until:
        lines = lines.filter(at__lt=wanted.until)
    if before is not None:
        last = AuditLine.objects.filter(pk=before).first()
        if last is None:
            return []
        lines = lines.filter(Q(at__lt=last.at) | Q(at=last.at, pk__lt=last.pk))
    return list(lines[:most])


def made_by(subjects: Sequence[str]) -> dict[str, str]:
    """Subject -> who stands in its first line, as that person was called then."""
    first = AuditLine.objects.filter(subject__in=subjects).order_by("subject", "at", "id").distinct("subject")
    return dict(first.values_list("subject", "actor_name"))


def restorable(line: AuditLine) -> bool:
    """Whether a page offers to put the line back; what stands there now is asked only when somebody wants to."""
    kind = kind_of(line.subject)
    if kind is None or kind.restore is None or not line.before or line.after is None:
        return False
    return not kind.only or bool(kind.only & {*line.before, *line.after})
