"""What this room knows of a person: what she consented to. The proof is unreadable without her key."""

from collections.abc import Iterator, Sequence

from changke.facts.consents.models import MemberLink
from changke.facts.consents.queries import history
from changke.facts.consents.services.links import forget_links
from changke.foundation.persons.registry import PersonTable, Row, register

SAID = ("customer_id", "purpose", "channel", "given", "how", "text_version", "guardian", "separate", "happened_at")


def consents(customer_ids: Sequence[int]) -> Iterator[Row]:
    for told in reversed(history(customer_ids, most=10_000)):
        one = told.consent
        yield {
            **{field: getattr(one, field) for field in SAID},
            "store": one.store.name if one.store else "",
            "staff": one.staff.name if one.staff else "",
            "evidence": told.evidence,
        }


register(PersonTable("consents", ("facts_consent",), consents, stays="proof"))


def links(customer_ids: Sequence[int]) -> Iterator[Row]:
    rows = MemberLink.objects.filter(customer_id__in=customer_ids).order_by("made_at", "pk")
    yield from rows.values("customer_id", "made_at", "ends_at")


register(PersonTable("links", ("facts_memberlink",), links, forget_links))
