"""Why a row or a file is refused, in the user's words and with the remedy. The words are data: `problems.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import ClassVar

from changke.foundation.errors import DomainError

LANGUAGES = ("zh-hans", "en", "zh-hant")


@dataclass(frozen=True)
class Problem:
    """A code of `problems.toml` and what fills its places."""

    code: str
    places: Mapping[str, object] = field(default_factory=dict)

    def words(self, language: str) -> str:
        return words(self.code, language) % self.places


class Refused(ValueError):
    """A value that cannot be read. Raised by the rules of `normalise`; becomes one line of the error file."""

    def __init__(self, code: str, **places: object) -> None:
        self.problem = Problem(code, places)
        super().__init__(code)


class UnreadableFile(DomainError):
    """The file as a whole cannot be used. Nothing was written."""

    code: ClassVar[str] = "unreadable_file"
    status: ClassVar[int] = 422
    message: ClassVar[str] = "%(file)s: %(reason)s"

    def __init__(self, problem: str, *, file: str, **places: object) -> None:
        self.problem = Problem(problem, {"file": file, **places})
        self.file = file
        super().__init__(file=file, reason=self.problem.words("en"))

    def words(self, language: str) -> str:
        return f"{self.file}: {self.problem.words(language)}"


@cache
def all_words() -> Mapping[str, Mapping[str, str]]:
    """Every code with its words per language."""
    return tomllib.loads((Path(__file__).parent / "problems.toml").read_text(encoding="utf-8"))


def words(code: str, language: str) -> str:
    """The template of `code`; English where the language is not one of ours."""
    texts = all_words()[code]
    return texts.get(language.lower(), texts["en"])
