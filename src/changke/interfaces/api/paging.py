"""Pages by position, not by number: the cursor says where the last page ended, so that page 5,000 costs as page 1."""

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from ninja import Field, Schema

from changke.foundation.errors import Invalid
from changke.interfaces.api.fields import text

DEFAULT_LENGTH = 50
LONGEST = 200

T = TypeVar("T")
R = TypeVar("R")


class Page(Schema, Generic[T]):
    items: list[T]
    next: str | None = Field(None, description="Send it as `cursor` to get the next page; null on the last one.")


class PageQuery(Schema):
    """Which part of a list."""

    cursor: Annotated[str, text(400)] = Field("", description="`next` of the page before.")
    limit: int = Field(DEFAULT_LENGTH, ge=1, le=LONGEST, description="Items on a page.")


def position(cursor: str, *parts: type) -> list[Any] | None:
    """Where the last page ended; None at the start. What we did not write is refused."""
    if not cursor:
        return None
    try:
        read = json.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
    except ValueError:
        read = None
    right = isinstance(read, list) and [type(one) for one in read] == list(parts)
    if not right or any(isinstance(one, str) and not one.isprintable() for one in read):
        raise Invalid(field="cursor", reason="is not a cursor of this list: send `next` of the page before")
    return list(read)


def page(rows: Sequence[R], limit: int, *, ends: Callable[[R], list[Any]], show: Callable[[R], T]) -> dict[str, Any]:
    """A page from `limit` + 1 rows: the one too many says that there is a next page."""
    shown = rows[:limit]
    following = None
    if len(rows) > limit:
        following = base64.urlsafe_b64encode(json.dumps(ends(shown[-1])).encode()).decode()
    return {"items": [show(row) for row in shown], "next": following}
