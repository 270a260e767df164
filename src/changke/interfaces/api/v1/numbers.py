"""How a number is computed: its words, the file that defines it, the statement."""

from django.http import HttpRequest
from ninja import Field, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.interfaces import numbers
from changke.interfaces.api.actors import actor

router = Router(tags=["numbers"])


class NamedNumber(Schema):
    key: str
    name: str = Field(..., description="As the pages call it, in the language of `Accept-Language`.")
    words: str


class NumberOut(NamedNumber):
    definition: str = Field(..., description="The file that defines it; empty of what a page counts or is learned.")
    reads: list[str] = Field(..., description="What that file stands on.")
    sql: str = Field(..., description="The statement of everybody; a reader's stores narrow it where it runs.")


@router.get("", response=list[NamedNumber], operation_id="get_numbers", summary="Every number")
def get_numbers(request: HttpRequest) -> list[NamedNumber]:
    """What can be asked, and what it is."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return [NamedNumber(key=key, name=name, words=words) for key in numbers.every()
            for name, words in [numbers.called(key)]]  # fmt: skip


@router.get("/{key}", response=NumberOut, operation_id="get_number", summary="How one is computed")
def get_number(request: HttpRequest, key: str) -> numbers.Number:
    """How a number of the pages is computed: in words, as its definition and as SQL."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return numbers.number(key)
