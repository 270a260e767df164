"""Many facts in one request: each is read on its own, so that a bad one never costs a good one."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError

from changke.foundation.errors import DomainError
from changke.foundation.intake import MOST_PER_BATCH, Outcome, Taken
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
    status: Literal["created", "skipped", "refused"] = Field(
        ..., description="`skipped`: the very same was recorded before."
    )
    id: int | None = Field(None, description="Our id of the fact, unless it was refused.")
    error: Refusal | None = None


class Report(BaseModel):
    """What came of a batch: every item is counted once. A batch with refusals is answered with 200 all the same."""

    created: int
    skipped: int
    refused: int
    results: list[Result]


class Batch(Generic[Item]):
    """The items of a request, each read on its own: those that can be, and why the others cannot."""

    def __init__(self, raw: Sequence[Item], model: type[Item]) -> None:
        self.length = len(raw)
        self.read: dict[int, Item] = {}
        self.refused: dict[int, DomainError] = {}
        for index, item in enumerate(raw):
            try:
                self.read[index] = model.model_validate(item)
            except ValidationError as error:
                problems = [problem_of(one) for one in error.errors(include_url=False, include_input=False)]
                self.refused[index] = Malformed(problems)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.read.values())

    def take_in(self, translate: Callable[[Item], Fact], receive: Callable[[Sequence[Fact]], list[Outcome]]) -> Report:
        """Translate each for the room, hand over what is right, and report on all in the order given."""
        outcomes: dict[int, Outcome] = dict(self.refused)
        facts: dict[int, Fact] = {}
        for index, item in self.read.items():
            try:
                facts[index] = translate(item)
            except DomainError as refusal:
                outcomes[index] = refusal
        outcomes |= zip(facts, receive(list(facts.values())), strict=True)
        results = [_result(index, outcomes[index]) for index in range(self.length)]
        count = {status: sum(one.status == status for one in results) for status in ("created", "skipped", "refused")}
        return Report(results=results, **count)


def _result(index: int, outcome: Outcome) -> Result:
    if isinstance(outcome, Taken):
        return Result(index=index, status="created" if outcome.is_new else "skipped", id=outcome.id)
    return Result(index=index, status="refused", id=None, error=Refusal(**said(outcome)))
