from typing import Any

from django.core.management.base import CommandParser

from changke.interfaces import numbers
from changke.interfaces.management.base import ShopCommand


class Command(ShopCommand):
    help = "How a number of the pages is computed: its words, the file that defines it, the SQL; without a name, all."
    example = "changke numbers net_spend"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", nargs="?", metavar="NAME", help="a number; left out: every number with its words")

    def run(self, *, key: str | None, **options: Any) -> dict[str, Any]:
        if key is None:
            told = [(one, *numbers.called(one)) for one in numbers.every()]
            for one, name, words in told:
                self.say(f"{one:<28} {name}: {words}")
            return {"numbers": [{"key": one, "name": name, "words": words} for one, name, words in told]}
        found = numbers.number(key)
        self.say(f"{found.name}: {found.words}")
        if found.definition:
            self.say(f"\n{found.definition}")
        for line in found.formula:
            self.say(f"\n{line}")
        for part in found.parts:
            self.say(f"\n-- {part.says}\n{part.sql};" if part.says else f"\n{part.sql}")
        return {"key": found.key, "name": found.name, "words": found.words, "definition": found.definition,
                "reads": list(found.reads), "formula": list(found.formula), "sql": found.sql}  # fmt: skip
