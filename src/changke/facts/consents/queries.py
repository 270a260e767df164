"""What she said last, and whether we may. Ids are those of a whole family: persons who were merged are one. What one of
them said in another store counts too: whoever asks may see her."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from changke.facts.consents import rules
from changke.facts.consents.models import Consent
from changke.facts.consents.rules import Channel, Person, Purpose, Statement, Topic, Verdict
from changke.facts.customers.models import Customer, Identifier
from changke.facts.customers.queries import families_of
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.persons.queries import opened_all


@seeing(CHAIN_WIDE)
def said_last(customer_ids: Sequence[int], *, at: dt.datetime) -> dict[Topic, list[Statement]]:
    """The last statement of each record about each topic, up to a moment."""
    rows = Consent.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True, happened_at__lte=at)
    # At the same moment the withdrawal is the last word; of two alike the later record.
    rows = rows.order_by("customer_id", "purpose", "channel", "-happened_at", "given", "-pk")
    found: dict[Topic, list[Statement]] = {}
    for one in rows.distinct("customer_id", "purpose", "channel"):
        topic = Purpose(one.purpose), Channel(one.channel)
        found.setdefault(topic, []).append(
            Statement(
                customer_id=one.customer_id,
                given=one.given,
                happened_at=one.happened_at,
                how=one.how,
                text_version=one.text_version,
                guardian=one.guardian,
                separate=one.separate,
            )
        )
    return found


def may(customer_ids: Sequence[int], purpose: Purpose, channel: Channel, *, at: dt.datetime, on: dt.date) -> Verdict:
    """Whether she may be reached, and why; `on` is the day in her store. Asked again at the moment of sending."""
    return verdicts(customer_ids, at=at, on=on)[purpose, channel]


def verdicts(customer_ids: Sequence[int], *, at: dt.datetime, on: dt.date) -> dict[Topic, Verdict]:
    """All of them, in the order of pages."""
    return allowed(customer_ids, at=at, on=on)[0]


@seeing(CHAIN_WIDE)
def allowed(
    customer_ids: Sequence[int], *, at: dt.datetime, on: dt.date, records: Sequence[Customer] = ()
) -> tuple[dict[Topic, Verdict], bool]:
    """`verdicts` and `personalised`, from one reading of what she said.

    `records`: the rows of these ids, if at hand.
    """
    said = {topic: rules.strictest(statements) for topic, statements in said_last(customer_ids, at=at).items()}
    rows = records if {one.pk for one in records} == set(customer_ids) else Customer.objects.filter(pk__in=customer_ids)
    person, suppressed = _person(list(rows)), _suppressed(customer_ids)
    found = {
        (purpose, channel): rules.may(
            purpose=purpose,
            said=said.get((purpose, channel)),
            person=person,
            on=on,
            suppressed=channel is not Channel.NONE and rules.ADDRESS[channel] in suppressed,
            personal=said.get((Purpose.PERSONAL, Channel.NONE)),
        )
        for purpose, channel in rules.topics()
    }
    return found, _personal(said.get((Purpose.PERSONAL, Channel.NONE)))


def personalised(customer_ids: Sequence[int], *, at: dt.datetime) -> bool:
    """Whether something may be chosen for her by her profile: unless she objected."""
    return _personal(rules.strictest(said_last(customer_ids, at=at).get((Purpose.PERSONAL, Channel.NONE), ())))


def _personal(said: Statement | None) -> bool:
    return said is None or said.given


def _person(rows: Sequence[Customer]) -> Person:
    """Of merged records the most careful reading: whichever was born last."""
    born = max(
        (one for one in rows if one.birth_year),
        key=lambda one: (one.birth_year, one.birth_month or 12, one.birth_day or 31),
        default=None,
    )
    erased = not rows or any(one.is_erased for one in rows)
    return Person(erased, born.birth_year, born.birth_month, born.birth_day) if born else Person(erased)


def _suppressed(customer_ids: Sequence[int]) -> set[str]:
    """Kinds of identifiers none of which may be used."""
    rows = Identifier.objects.filter(customer_id__in=customer_ids, suppressed=True)
    return set(rows.values_list("kind", flat=True))


@dataclass(frozen=True)
class Told:
    """A statement as the history shows it, with its proof."""

    consent: Consent
    evidence: str


@seeing(CHAIN_WIDE)
def history(customer_ids: Sequence[int], *, most: int = 100) -> list[Told]:
    """What she said, the latest first."""
    rows = list(
        Consent.objects.filter(customer_id__in=customer_ids, withdrawn_by__isnull=True)
        .select_related("store", "staff")
        .order_by("-happened_at", "-pk")[:most]
    )
    texts = opened_all((one.customer_id, one.evidence, place_of(one.pk)) for one in rows)
    return [Told(one, text) for one, text in zip(rows, texts, strict=True)]


def place_of(consent_id: int) -> str:
    return f"facts_consent|evidence|{consent_id}"


def last_by_record(records: Sequence[int], *, at: dt.datetime) -> dict[tuple[int, Topic], Statement]:
    """The last statement of each record about each topic, by both."""
    return {
        (statement.customer_id, topic): statement
        for topic, statements in said_last(records, at=at).items()
        for statement in statements
    }


@dataclass(frozen=True)
class Brought:
    """Living statements of a batch."""

    given: int
    withdrawn: int

    @property
    def told(self) -> int:
        return self.given + self.withdrawn


def brought_by(batch_id: int) -> Brought:
    mine = Consent.objects.filter(batch_id=batch_id, withdrawn_by__isnull=True)
    return Brought(mine.filter(given=True).count(), mine.filter(given=False).count())


@seeing(CHAIN_WIDE)
def said_of(customer_ids: Sequence[int], *, at: dt.datetime) -> dict[int, dict[Topic, Statement]]:
    """What each of many said last about each topic, of merged records the strictest."""
    families = families_of(customer_ids)
    said = last_by_record(sorted({record for family in families.values() for record in family}), at=at)
    found: dict[int, dict[Topic, Statement]] = {}
    for asked, family in families.items():
        for topic in rules.topics():
            last = rules.strictest(said[record, topic] for record in family if (record, topic) in said)
            if last is not None:
                found.setdefault(asked, {})[topic] = last
    return found
