"""The small types that inputs are made of, each strict: what a till gets wrong is named, never guessed."""

from typing import Annotated

from django.utils.translation import gettext_noop
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.types import StrictInt

from changke.foundation.money import LARGEST_MINOR
from changke.interfaces.api.problems import ours


class Input(BaseModel):
    """Input with exactly these fields: a misspelt one would otherwise be lost in silence."""

    model_config = ConfigDict(extra="forbid")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ours(gettext_noop("must not hold the character NUL"))
    return text


def text(longest: int, *, empty: bool = True) -> StringConstraints:
    """Metadata of a text: trimmed, of at most so many characters."""
    return StringConstraints(strip_whitespace=True, max_length=longest, min_length=0 if empty else 1)


def _written(moment: object) -> object:
    if not isinstance(moment, str) or moment.strip().lstrip("-").replace(".", "").isdigit():
        raise ours(gettext_noop("is not a moment; write it as 2026-03-01T12:30:00+08:00"))
    return moment


Storable = AfterValidator(_storable)
Line200 = Annotated[str, text(200), Storable]
Code = Annotated[str, text(60, empty=False), Storable]
ClientId = Annotated[str, text(80, empty=False), Storable]
Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""ISO 8601 with its zone. A moment without one would fall on another day in the next store."""

Minor = Annotated[StrictInt, Field(ge=0, le=LARGEST_MINOR)]
"""Money in minor units (fen, pence) of the chain's currency: a whole number, never negative."""

Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
