"""Many facts in one request: each is read on its own, so that a bad one never costs a good one."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from changke.foundation.errors import DomainError
from changke.foundation.intake import MOST_PER_BATCH, Outcome, Taken, Waits
from changke.interfaces.api.errors import Malformed, said
from changke.interfaces.api.problems import problem_of

Item = TypeVar("Item", bound=BaseModel)
Fact = TypeVar("Fact")

Many = Field(min_length=1, max_length=MOST_PER_BATCH)
"""How many facts one request may carry."""


class Refusal(BaseModel):
    """Why something was refused."""

    code: str = Field(..., description="Stable, for programs.")
    message: str = Field(..., description="For people, in the language of `Accept-Language`.")
    field: str | None = Field(None, description="The place, such as `lines[0].amount_minor`.")
    remedy: str | None = Field(None, description="What to do about it.")
    details: list[dict[str, Any]] | None = Field(None, description="Every problem, where there are several.")


class Result(BaseModel):
    """What came of one item."""

    index: int = Field(..., description="Its place in the request, from 0.")
    status: Literal["created", "skipped", "waiting", "refused"] = Field(
        ...,
        description="`skipped`: the very same was recorded before. `waiting`: a return whose purchase has not come yet;"
        " it is recorded when that comes.",
    )
    id: int | None = Field(None, description="Our id of the fact, unless it was refused or waits.")
    error: Refusal | None = None


class Report(BaseModel):
    """What came of a batch: every item is counted once. A batch with refusals is answered with 200 all the same."""

    created: int
    skipped: int
    waiting: int = 0
    refused: int
    results: list[Result]


STATUSES = ("created", "skipped", "waiting", "refused")


class Batch(Generic[Item]):
    """The items of a request, each read on its own: those that can be, and why the others cannot."""

    def __init__(self, raw: Sequence[Item], model: type[Item]) -> None:
        self.length = len(raw)
        self.read: dict[int, Item] = {}
        self.refused: dict[int, DomainError] = {}
        for index, item in enumerate(raw):
            try:
                self.read[index] = read(item, model)
            except DomainError as refusal:
                self.refused[index] = refusal

    def __iter__(self) -> Iterator[Item]:
        return iter(self.read.values())

    def take_in(self, translate: Callable[[Item], Fact], receive: Callable[[Sequence[Fact]], list[Outcome]]) -> Report:
        """Translate each for the room, hand over what is right, and report on all in the order given."""
        told = translated(self.read, translate)
        came = dict(zip(told.facts, receive(list(told.facts.values())), strict=True))
        outcomes = self.refused | told.refused | came
        return report([outcomes[index] for index in range(self.length)])


def read(item: object, model: type[Item]) -> Item:
    """The item, or the refusal that names every problem of it."""
    try:
        return model.model_validate(item)
    except ValidationError as error:
        problems = [problem_of(one) for one in error.errors(include_url=False, include_input=False)]
        raise Malformed(problems) from None


@dataclass(frozen=True)
class Translated(Generic[Fact]):
    """The items as the room understands them, and why some cannot be, by their places in the request."""

    facts: dict[int, Fact]
    refused: dict[int, DomainError]


def translated(items: Mapping[int, Item], translate: Callable[[Item], Fact]) -> Translated[Fact]:
    """Each item translated on its own."""
    told: Translated[Fact] = Translated({}, {})
    for index, item in items.items():
        try:
            told.facts[index] = translate(item)
        except DomainError as refusal:
            told.refused[index] = refusal
    return told


def report(outcomes: Sequence[Outcome]) -> Report:
    """What came of each, in the order given."""
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    counted = Counter(str(one.status) for one in results)
    return Report(results=results, **{status: counted[status] for status in STATUSES})


def _result(index: int, outcome: Outcome) -> Result:
    if isinstance(outcome, Taken):
        return Result(index=index, status="created" if outcome.is_new else "skipped", id=outcome.id)
    if isinstance(outcome, Waits):
        return Result(index=index, status="waiting", id=None)
    return Result(index=index, status="refused", id=None, error=Refusal(**said(outcome)))
