"""Of what a number is asked: of a segment, of two, or of nothing in particular."""

from dataclasses import dataclass, field

from changke.foundation.errors import Invalid, NotFound
from changke.profiles.conditions import Condition, TextError
from changke.profiles.segments.asking import Words, words_of_the_chain
from changke.profiles.segments.models import Segment
from changke.profiles.segments.queries import condition_of


@dataclass(frozen=True)
class Asking:
    """`words`: what the reader may ask; fields that her role does not see are not among them."""

    segment_key: str = ""
    other_key: str = ""
    text: str = ""
    """A condition as people write it, in place of a segment."""
    words: Words = field(default_factory=words_of_the_chain)

    def segment(self) -> Segment | None:
        """Raises NotFound."""
        return _there(self.segment_key)

    def condition(self) -> Condition | None:
        """What the text or the segment asks; None: everybody. Raises Invalid, NotFound, SegmentUnreadable."""
        if self.text:
            try:
                return self.words.read(self.text)[1]
            except TextError as error:
                raise Invalid(field="text", reason="%(problem)s", problem=str(error)) from None
        one = self.segment()
        return condition_of(one, self.words) if one else None

    def other(self) -> Segment | None:
        """Raises NotFound."""
        return _there(self.other_key)


def _there(key: str) -> Segment | None:
    if not key:
        return None
    one = Segment.objects.filter(key=key).first()
    if one is None:
        raise NotFound
    return one
