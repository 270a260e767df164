"""What comes of statements that a file tells, each seen after those before it. Nothing is read and nothing written."""

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from changke.facts.referrals import rules
from changke.facts.referrals.models import How
from changke.facts.referrals.queries import Said
from changke.foundation.errors import DomainError

UNKNOWN, NAMED, SAME, STAYS = "referrer_unknown", "named", "same", "stays"


@dataclass(frozen=True)
class Told:
    """What a file says of one customer. `only_unsaid`: where anybody spoke of it before, that stays."""

    customer_id: int
    referrer_id: int
    only_unsaid: bool = False


def weigh(
    told: Sequence[Told],
    *,
    persons: Mapping[int, int],
    said: Mapping[int, Said],
    brought_by: MutableMapping[int, int | None],
    batch_id: int,
) -> Iterator[tuple[Told, str, bool]]:
    """Each with what comes of it, and whether that is a statement to write.

    Parameters
    ----------
    persons
        Record -> the person as whom it is read, of those who are known and not erased.
    said, brought_by
        What holds of these persons and everybody above them; `brought_by` takes up what is told.
    """
    for one in told:
        person, referrer = persons.get(one.customer_id), persons.get(one.referrer_id)
        if person is None or referrer is None:
            yield one, UNKNOWN, False
            continue
        last = said.get(person)
        if brought_by.get(person) == referrer:
            mine = last is None or last.batch_id == batch_id
            yield one, NAMED if mine else SAME, False
        elif person in brought_by and (last is None or _stays(last, one, batch_id)):
            yield one, STAYS, False
        else:
            try:
                rules.check(person, referrer, brought_by)
            except DomainError as refusal:
                yield one, refusal.code, False
                continue
            brought_by[person] = referrer
            yield one, NAMED, True


def _stays(last: Said, one: Told, batch_id: int) -> bool:
    """What was said before holds over the file: somebody of the shop said it, or another row of the same load."""
    return one.only_unsaid or last.how != How.FILE or last.batch_id == batch_id
