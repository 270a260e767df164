"""What segments ask of a chain's own fields: as long as one asks for a choice, that choice goes on meaning the same.

A field may be retired or kept from some roles all the same: a segment that asks for it says so and finds nobody.
"""

from collections.abc import Iterator
from typing import Any

from changke.facts.fields.models import Field
from changke.facts.fields.services import User, register_users
from changke.profiles.segments.models import Segment


@register_users
def segments_asking(field: Field) -> list[User]:
    """The segments that ask for this field, by name, and the texts each compares it with. Frozen ones ask nothing."""
    names = {f"custom.{field.key}", *(f"custom.{field.key}_{place + 1}" for place in range(len(field.choices)))}
    found = []
    for segment in Segment.objects.filter(is_static=False):
        values = [value for name, value in _asked(segment.tree) if name in names]
        if values:
            texts = frozenset(text for value in values for text in _texts(value))
            found.append(User(segment.name, texts, may_miss_it=True))
    return found


def _asked(tree: Any) -> Iterator[tuple[str, Any]]:
    """Each attribute of a condition with what it is compared with."""
    if isinstance(tree, dict):
        if "attribute" in tree:
            yield str(tree["attribute"]), tree.get("value")
        elif "known" in tree:
            yield str(tree["known"]), None
        for part in tree.values():
            yield from _asked(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _asked(part)


def _texts(value: Any) -> list[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]
