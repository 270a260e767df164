"""How a number is computed: its words, the file that defines it, the statement."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.interfaces import numbers
from changke.interfaces.api.actors import actor
from changke.interfaces.api.fields import text
from changke.interfaces.asking import Asking
from changke.interfaces.counted import Part
from changke.profiles.segments.asking import words_of_the_chain

router = Router(tags=["numbers"])

ConditionText = Annotated[str, text(4_000)]


class NamedNumber(Schema):
    key: str
    name: str = Field(..., description="As the pages call it, in the language of `Accept-Language`.")
    words: str


class PartOut(Schema):
    says: str
    sql: str

    @staticmethod
    def resolve_says(part: Part) -> str:
        return str(part.says)


class NumberQuery(Schema):
    segment: str = Field("", max_length=40, description="Key of a segment, where the number is one of a segment.")
    other: str = Field("", max_length=40, description="Key of the other one, of `segment_overlap`.")
    text: ConditionText = Field("", description="A condition in place of a segment.")


class NumberOut(NamedNumber):
    definition: str = Field(..., description="The file that defines it; empty of what a page counts or is learned.")
    reads: list[str] = Field(..., description="What that file stands on.")
    sql: str = Field(
        ..., description="The statements of everybody, for PostgreSQL; a reader's stores narrow them where they run."
    )
    parts: list[PartOut] = Field(..., description="The same one by one, each with what it says.")
    formula: list[str] = Field(..., description="What is computed of them, with what was learned; empty of a count.")


@router.get("", response=list[NamedNumber], operation_id="get_numbers", summary="Every number")
def get_numbers(request: HttpRequest) -> list[NamedNumber]:
    """What can be asked, and what it is."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return [NamedNumber(key=key, name=name, words=words) for key in numbers.every()
            for name, words in [numbers.called(key)]]  # fmt: skip


@router.get("/{key}", response=NumberOut, operation_id="get_number", summary="How one is computed")
def get_number(request: HttpRequest, key: str, query: Query[NumberQuery]) -> numbers.Number:
    """How a number of the pages is computed: in words, as its definition, as SQL and formula. Pages and this API name
    each number by the same key."""
    asks = actor(request)
    asks.scope_for(Capability.ANALYTICS_VIEW)
    words = words_of_the_chain(role=asks.who.role)
    return numbers.number(key, Asking(query.segment, query.other, query.text, words))
