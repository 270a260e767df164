"""Something in every table of facts about one customer, each with her mark in it: for what must tell all of them."""

import datetime as dt

from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Advising, Customer, Kept
from changke.facts.customers.services.add_name import add_name
from changke.facts.customers.services.change import change
from changke.facts.customers.services.merge import merge
from changke.facts.customers.services.notes import write_note
from changke.facts.customers.services.register import register
from changke.facts.customers.services.tags import add_tag, remove_tag
from changke.facts.events.services import record, unmask
from changke.facts.fields.models import Field
from changke.facts.fields.services import define, set_values
from changke.facts.purchases.models import Opening, WaitingReturn
from changke.facts.purchases.rules import Paid
from changke.facts.purchases.services.record import NewLine, record_receipt
from changke.facts.scores.models import Score, ScoreValue
from changke.facts.scores.services.define import define_score
from changke.facts.visits.services.record import record_visit
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import By
from changke.foundation.batches.models import Batch
from changke.foundation.organisation.models import Store
from tests.cast import NOW, TODAY, Cast, ago, at

SKIN = "skin"
RANK = "rank"


def everything_about(cast: Cast, customer: Customer, store: Store, mark: str, *, by: Staff) -> Customer:
    """One row of each table about her; her second record, which is read as hers. `mark` is a short text."""
    who = By("staff", by.pk, by.name)
    _names_and_profile(cast, customer, mark, by, who)
    _said_of_her(customer, mark, by, store)
    record_receipt(
        store=store, customer=customer, number=f"R-{mark}", source_key=f"r:{mark}", happened_at=at(ago(3)), now=NOW,
        lines=[NewLine(amount_minor=100, item=cast.facial), NewLine(amount_minor=200, description=f"line {mark}")],
        tenders=[Paid("alipay", 300)],
    )  # fmt: skip
    record_visit(
        customer=customer, store=store, source_key=f"v:{mark}", purpose=f"purpose {mark}", happened_at=at(ago(4)),
        now=NOW,
    )  # fmt: skip
    told = {"happened_at": at(ago(900)), "business_date": ago(900), "recorded_at": NOW}
    Opening.objects.create(
        customer=customer, store=store, first_on=ago(1_200), last_on=ago(900), purchases=41, cash_minor=77_700,
        source_key=f"o:{mark}", **told,
    )  # fmt: skip
    WaitingReturn.objects.create(
        store=store, source="till", original_number=f"W-{mark}", source_key=f"w:{mark}", amount_minor=500,
        happened_at=NOW, waiting_since=NOW, told={},
    )  # fmt: skip
    for kind, data in (
        ("followup.recorded", {"reason": "by_hand", "outcome": "lost", "because": "price"}),
        ("stage.changed", {"model": "m4", "from": "growth", "to": "silent", "cause": "time"}),
        ("complaint.received", {"topic": f"topic {mark}"}),
    ):
        record(
            kind, source_key=f"{kind}:{mark}", happened_at=at(ago(2)), now=NOW, customer=customer, store=store,
            staff=by, data=data,
        )  # fmt: skip
    unmask(customer, reason="call", by=who, now=NOW)
    second = register(name=f"second {mark}", home_store=store, by=who, now=NOW)
    merge(second.pk, customer.pk, by=who, now=NOW)
    write_note(second, text=f"note of the second {mark}", by=by, now=NOW)
    return second


def _names_and_profile(cast: Cast, customer: Customer, mark: str, by: Staff, who: By) -> None:
    tail = f"{customer.pk:04}"[-4:]
    add_name(customer, "phone", f"1390000{tail}", by=who, now=NOW)
    add_name(customer, "email", f"mail{tail}@example.com", by=who, now=NOW)
    add_name(customer, "card", f"CARD-{tail}", by=who, now=NOW)
    add_name(customer, "wecom", f"wm{tail}", by=who, now=NOW)
    change(
        customer.pk,
        {
            "occupation": f"work {mark}", "income_band": f"income {mark}", "city": f"city {mark}",
            "interests": f"interest {mark}", "living": f"living {mark}", "allergies": f"allergy {mark}",
        },
        now=NOW,
    )  # fmt: skip
    if not Field.objects.filter(key=SKIN).exists():
        define(key=SKIN, kind="text", labels={"en": "Skin"}, now=NOW)
        define_score(key=RANK, kind="label", labels={"en": "Rank"}, now=NOW)
    set_values(customer.pk, {SKIN: f"skin {mark}"}, now=NOW)
    ScoreValue.objects.create(
        customer=customer, score=Score.objects.get(key=RANK), text=f"rank {mark}", scored_on=TODAY
    )
    Advising.objects.create(
        customer=customer, staff=by, since=NOW - dt.timedelta(days=90), until=NOW - dt.timedelta(days=1)
    )


def _said_of_her(customer: Customer, mark: str, by: Staff, store: Store) -> None:
    write_note(customer, text=f"note {mark}", by=by, now=NOW)
    add_tag(customer, f"tag {mark}", source="rule", rule=f"rule {mark}", fact="receipt:1", now=NOW)
    add_tag(customer, f"former {mark}", now=NOW)
    remove_tag(customer, f"former {mark}", by=By("staff", by.pk, by.name), because="disputed", now=NOW)
    proof = Proof(how="form", evidence=f"proof {mark}", staff=by, store=store)
    state(
        [customer.pk], [(Purpose.MARKETING, Channel.SMS)], given=True, proof=proof, source_key=f"c:{mark}",
        happened_at=NOW, time_zone="Asia/Shanghai", now=NOW,
    )  # fmt: skip
    batch = Batch.objects.create(kind="import", title=mark, created_at=NOW)
    Kept.objects.create(
        batch=batch, customer=customer, kind="card", source_key=f"k:{mark}", data={"card": f"kept {mark}"}
    )
