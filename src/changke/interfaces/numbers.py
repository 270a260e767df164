"""How a number of the pages is computed: its words, the SQL that says it, the formula where it is no plain count. For
page, API and command line alike.

Attributes have a file each that defines them, and a statement composed of it and of all that it stands on. Everything
else stands in `counted`. Every statement runs against PostgreSQL as it stands, unless a name after a colon is left in
it; statements are those of everybody: a reader's stores narrow them where they run.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from changke.foundation.errors import NotFound
from changke.interfaces.asking import Asking
from changke.interfaces.counted import COUNTED, Part, bound, today
from changke.interfaces.statements import composed_of
from changke.interfaces.web.customers.defined import DEFINED
from changke.interfaces.web.customers.measures import NAMES, name_of
from changke.profiles.attributes.catalogue import COMPOSER, REGISTRY


@dataclass(frozen=True)
class Number:
    """`definition` is the file that defines it, as it was written; empty where a page counts. `reads`: what that file
    stands on. `parts`: the statements; `formula`: what is computed of them, empty where they are the number."""

    key: str
    name: str
    words: str
    parts: Sequence[Part]
    formula: Sequence[str] = ()
    definition: str = ""
    reads: tuple[str, ...] = ()

    @property
    def sql(self) -> str:
        """All the statements, one after the other."""
        return ";\n\n".join(part.sql for part in self.parts)


def number(key: str, asking: Asking | None = None) -> Number:
    """`asking`: of which segment, where the number is one of a segment. Raises NotFound."""
    if key in COUNTED:
        one = COUNTED[key]
        parts = list(one.parts(asking or Asking()))
        return Number(key, str(one.name), str(one.words), parts, one.formula())
    if key not in REGISTRY.attributes:
        raise NotFound
    owner = REGISTRY.owners[key]
    statement = COMPOSER.statement([key], engine="postgres")
    written = owner.path.read_text(encoding="utf-8").strip()
    part = Part("", composed_of(statement, bound(today())))
    return Number(key, *called(key), [part], definition=written, reads=tuple(owner.inputs))


def every() -> list[str]:
    """Everything that can be asked, what pages count first."""
    return [*COUNTED, *sorted(REGISTRY.attributes)]


def called(key: str) -> tuple[str, str]:
    """Its name and its words, without the work of a statement."""
    if key in COUNTED:
        return str(COUNTED[key].name), str(COUNTED[key].words)
    return name_of(key), str(NAMES[key][1] if key in NAMES else DEFINED[key])
