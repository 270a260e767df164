"""Scores of the chain's own: which there are, what they say of a customer, and new ones coming in."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, SkipValidation, model_validator
from pydantic.types import FiniteFloat, StrictInt

from changke.facts.customers.queries import customer_in
from changke.facts.scores import rules
from changke.facts.scores.models import Score
from changke.facts.scores.queries import latest_of, scores_for
from changke.facts.scores.services import define_score
from changke.facts.scores.services.take_in import Wanted, take_in_scores
from changke.foundation.access.capabilities import Capability
from changke.foundation.batches.services import finish, open_batch
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.money import exponent
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.errors import said
from changke.interfaces.api.fields import Code, Id, Input, Line200
from changke.interfaces.api.v1.batches import Batch, Many, Refusal
from changke.interfaces.scores import work
from changke.interfaces.scores.pseudonyms import Numbers, Pseudonyms

router = Router(tags=["scores"])

KINDS = "`chance` (0 to 1), `number` (whole), `money`, `label` (a word)"


class ScoreOut(Schema):
    """A score of the chain's own. Conditions call it `score.<key>`."""

    key: str
    kind: str = Field(..., description=KINDS)
    labels: dict[str, str] = Field(..., description="Language to words.")


class ScoreIn(Input):
    key: str = Field(..., max_length=40)
    kind: Literal["chance", "number", "money", "label"] = Field(..., description=KINDS)
    labels: Annotated[dict[Code, Line200], Field(max_length=3)] = Field(..., description="Language to words.")

    model_config = {
        "json_schema_extra": {"examples": [{"key": "churn", "kind": "chance", "labels": {"zh-hans": "流失概率"}}]}
    }


class SaidOut(Schema):
    """The latest value of a score, and the day it speaks of."""

    key: str
    kind: str
    value: int | str = Field(..., description="A chance in basis points, money in minor units.")
    scored_on: dt.date


class ValueIn(Input):
    """What one score says of one customer as of a day."""

    customer: str | None = Field(None, max_length=24, description="Her pseudonym, as `changke publish` writes it.")
    customer_id: Id | None = None
    score: Code
    value: StrictInt | FiniteFloat | Line200 = Field(
        ..., description="A chance between 0 and 1; money in whole units of the currency, as in files."
    )
    scored_on: dt.date | None = Field(None, description="The day it speaks of; today if left out.")

    @model_validator(mode="after")
    def one_of_two(self) -> "ValueIn":
        if (self.customer is None) == (self.customer_id is None):
            raise ValueError("give either customer or customer_id")
        return self


class ValuesIn(Input):
    """Up to 1,000 values."""

    values: Annotated[list[Annotated[ValueIn, SkipValidation]], Many]

    model_config = {
        "json_schema_extra": {
            "examples": [
                {
                    "values": [
                        {"customer": "0f3a1c5b7d9e2f4a6b8c0d1e", "score": "churn", "value": 0.73,
                         "scored_on": "2026-11-01"}
                    ]
                }
            ]
        }
    }  # fmt: skip


class ValueResult(Schema):
    index: int = Field(..., description="Its place in the request, from 0.")
    status: Literal["created", "skipped", "refused"] = Field(..., description="`skipped`: it stood there already.")
    error: Refusal | None = None


class ValuesOut(Schema):
    """What came of each. With refusals it is answered with 200 all the same."""

    batch: int | None = Field(..., description="What brought the new ones: `POST /batches/{id}/undo` takes them back.")
    created: int
    skipped: int
    refused: int
    results: list[ValueResult]


class ScoreNobody(DomainError):
    code, status = "score_of_nobody", 404
    message = "There is no such customer here, or she was erased."


@router.get("/scores", response=list[ScoreOut], operation_id="get_scores", summary="Scores of the chain's own")
def get_scores(request: HttpRequest) -> Any:
    """The scores in use that your role sees."""
    actor(request).scope_for(Capability.CUSTOMER_VIEW)
    return scores_for(actor(request).who.role)


@router.post("/scores", response={201: ScoreOut}, operation_id="post_score", summary="Define a score")
def post_score(request: HttpRequest, body: ScoreIn) -> ScoreOut:
    """Its key is the name of its column in files, and stays."""
    actor(request).scope_for(Capability.FIELDS_MANAGE)
    one = define_score(key=body.key, kind=body.kind, labels=body.labels, by=by(request), now=dt.datetime.now(dt.UTC))
    return ScoreOut.from_orm(one)


@router.post("/scores/values", response=ValuesOut, operation_id="post_score_values", summary="Bring scores")
def post_score_values(request: HttpRequest, body: ValuesIn) -> ValuesOut:
    """Each value is read on its own; what stands there already is skipped. A million belong into a file:
    `changke scores --load`."""
    actor(request).scope_for(Capability.IMPORT_RUN)
    now = dt.datetime.now(dt.UTC)
    batch = Batch(body.values, ValueIn)
    outcomes: dict[int, DomainError | Wanted] = dict(batch.refused)
    chain, scores = the_chain(), {one.key: one for one in scores_for(actor(request).who.role)}
    today, digits = business_date(now, chain.time_zone), exponent(chain.currency)
    named = any(one.customer is not None for one in batch)
    numbers = Pseudonyms() if named else Numbers()
    seen: set[tuple[int, int, dt.date]] = set()
    for index, one in batch.read.items():
        try:
            wanted = _wanted(one, scores, numbers, today, digits)
            place = (wanted.customer_id, wanted.score_id, wanted.scored_on)
            if place in seen:
                raise Invalid(field="customer", reason=work.AGAIN)
            seen.add(place)
            outcomes[index] = wanted
        except DomainError as refused:
            outcomes[index] = refused
    return _write(request, outcomes, batch.length, now)


@router.get(
    "/customers/{int:customer_id}/scores",
    response=list[SaidOut],
    operation_id="get_customer_scores",
    summary="What the chain's own scores say of a customer",
)
def get_customer_scores(request: HttpRequest, customer_id: int) -> list[SaidOut]:
    """The latest of every score that your role sees; nothing where none says anything."""
    customer = customer_in(actor(request).scope_for(Capability.CUSTOMER_VIEW), customer_id)
    found = latest_of([customer.pk], scores_for(actor(request).who.role)).get(customer.pk, [])
    return [
        SaidOut(
            key=one.score.key, kind=one.score.kind, scored_on=one.scored_on,
            value=one.number if one.number is not None else one.text or "",
        )
        for one in found
    ]  # fmt: skip


def _wanted(one: ValueIn, scores: dict[str, Score], numbers: Numbers, today: dt.date, digits: int) -> Wanted:
    score = scores.get(one.score)
    if score is None:
        raise Invalid(field="score", reason="not a score of this chain")
    if one.customer is not None:
        assert isinstance(numbers, Pseudonyms), "made where somebody is named so"
        customer = numbers.number(one.customer)
    else:
        customer = one.customer_id if numbers.known(one.customer_id or 0) else None
    if customer is None:
        raise ScoreNobody
    try:
        day = rules.day(one.scored_on or today, today=today)
    except rules.Unfit as unfit:
        raise Invalid(field="scored_on", reason=unfit.reason, **unfit.places) from None
    try:
        kept = rules.fit(score.kind, one.value, digits=digits)
    except rules.Unfit as unfit:
        raise Invalid(field="value", reason=unfit.reason, **unfit.places) from None
    if kept is None:
        raise Invalid(field="value", reason="is missing")
    return Wanted(customer, score.pk, kept[0], kept[1], day)


@transaction.atomic
def _write(request: HttpRequest, outcomes: dict[int, DomainError | Wanted], length: int, now: dt.datetime) -> ValuesOut:
    wanted = [one for one in outcomes.values() if isinstance(one, Wanted)]
    refused = length - len(wanted)
    taken, batch_id = set[tuple[int, int, dt.date]](), None
    if wanted:
        with transaction.atomic():
            batch = open_batch(
                kind=work.KIND, title=f"API: {len(wanted)}", files=[], options={"run_by": vars(by(request))},
                created_by=None, now=now,
            )  # fmt: skip
            taken = take_in_scores(wanted, batch_id=batch.pk)
            if taken:
                finish(
                    batch.pk, total=length, created=len(taken), updated=0, skipped=len(wanted) - len(taken),
                    refused=refused, error_file="", now=now,
                )  # fmt: skip
                batch_id = batch.pk
            else:
                transaction.set_rollback(True)
    results = []
    for index in range(length):
        one = outcomes[index]
        if isinstance(one, Wanted):
            is_new = (one.customer_id, one.score_id, one.scored_on) in taken
            results.append(ValueResult(index=index, status="created" if is_new else "skipped"))
        else:
            results.append(ValueResult(index=index, status="refused", error=Refusal(**said(one))))
    return ValuesOut(
        batch=batch_id, created=len(taken), skipped=len(wanted) - len(taken), refused=refused, results=results
    )
