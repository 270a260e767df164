"""The words of the product in three languages: `python -m scripts.messages collect | check | compile`.

A msgid is an English sentence in the code or a template, so English needs no catalogue. The Chinese catalogues are
split by subject (`locale/zh_Hans/customers.po`), so that two people can add words at the same time; they are joined
into the one `.mo` that Django reads. Pure Python (Babel): a machine without gettext can do it.

    collect   writes new msgids, still untranslated, into the catalogue of their subject and takes out those nobody uses
    check     fails on what is untranslated, fuzzy, unused, translated twice differently, or has lost a %(place)s
    compile   makes locale/*/LC_MESSAGES/django.mo (not committed)
"""

import ast
import io
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import django
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "changke"
LOCALE = ROOT / "locale"
LANGUAGES = ("zh_Hans", "zh_Hant")

Id = str | tuple[str, str]
Key = tuple[str | None, Id]
"""Context and msgid; a plural msgid is a pair."""

KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}

# Which catalogue the words of a path belong to; the first match wins. Page families are named by their folder.
SUBJECTS = (
    (r"^interfaces/web/templates/(web|cotton|shell)/", "shell"),
    (r"^interfaces/web/templates/(?P<family>[a-z_0-9]+)/", None),
    (r"^interfaces/web/(?P<family>[a-z_0-9]+)/", None),
    (r"^interfaces/web/", "shell"),
    (r"^interfaces/api/", "api"),
    (r"^interfaces/importers/", "imports"),
    (r"^interfaces/", "commands"),
    (r"^decisions/", "today"),
    (r"^profiles/", "lifecycle"),
    (r"^facts/", "customers"),
    (r"", "errors"),
)
SHELL_FOLDERS = {"shell", "templatetags", "static"}


def main(words: list[str]) -> int:
    verb = words[0] if words else ""
    if verb == "collect":
        collect()
    elif verb == "check":
        problems = check()
        print("\n".join(problems) or "every word is translated")
        return 1 if problems else 0
    elif verb == "compile":
        compile_all()
    else:
        print(__doc__)
        return 2
    return 0


# What the source says


@cache
def used() -> dict[Key, str]:
    """Every message of the source with the subject of the first file that says it."""
    if not settings.configured:
        settings.configure(USE_I18N=True)
        django.setup()
    found: dict[Key, str] = {}
    for path in sorted([*SOURCE.rglob("*.py"), *SOURCE.rglob("templates/**/*.html")]):
        for key in said_in(path):
            found.setdefault(key, subject_of(path))
    return found


def subject_of(path: Path) -> str:
    relative = path.relative_to(SOURCE).as_posix()
    for pattern, subject in SUBJECTS:
        if match := re.match(pattern, relative):
            family = match.groupdict().get("family")
            return subject or ("shell" if family in SHELL_FOLDERS else str(family))
    raise AssertionError("the last pattern matches everything")


def said_in(path: Path) -> Iterator[Key]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # templatize() leaves the tags as calls among a noise of X; indentation would be a syntax error.
        text = "\n".join(line.lstrip() for line in templatize(text).splitlines())
    elif "migrations" in path.parts:
        return
    else:
        yield from refusals(text)
    for _line, function, message, _comments in extract_python(io.BytesIO(text.encode()), KEYWORDS.keys(), [], {}):
        key = as_key(function, message)
        if key:
            yield key


def as_key(function: str, message: object) -> Key | None:
    words = message if isinstance(message, tuple) else (message,)
    if function.startswith(("pgettext", "npgettext")):
        context, *words = words
    else:
        context = None
    if function.startswith(("ngettext", "npgettext")):
        one, many = words[:2]
        return (context, (one, many)) if one and many else None
    return (context, words[0]) if isinstance(words[0], str) and words[0] else None


def refusals(text: str) -> Iterator[Key]:
    """`message = "..."` of a DomainError, and `reason="..."` where one is raised: translated at the roof."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if isinstance(line, ast.Assign) and [t.id for t in line.targets if isinstance(t, ast.Name)] == [
                    "message"
                ]:
                    yield from literal(line.value)
        elif isinstance(node, ast.Call):
            for keyword in node.keywords:
                if keyword.arg == "reason":
                    yield from literal(keyword.value)


def literal(node: ast.expr) -> Iterator[Key]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
        yield None, node.value


# What the catalogues say


def read(path: Path, language: str) -> Catalog:
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, domain="django")


def entries(catalog: Catalog) -> Iterator[tuple[Key, Message]]:
    for message in catalog:
        if message.id:
            yield (message.context, message.id), message


def subjects(language: str) -> list[Path]:
    return sorted((LOCALE / language).glob("*.po"))


def collect() -> None:
    wanted = used()
    for language in LANGUAGES:
        catalogs = {path.stem: read(path, language) for path in subjects(language)}
        # A msgid stays where it is translated, wherever it is said.
        home = {key: name for name, catalog in catalogs.items() for key, _message in entries(catalog)}
        for key, name in home.items():
            if key not in wanted:
                catalogs[name].delete(key[1], context=key[0])
        for key, subject in wanted.items():
            if key not in home:
                catalogs.setdefault(subject, Catalog(locale=language)).add(key[1], context=key[0])
        for name, catalog in catalogs.items():
            write(catalog, LOCALE / language / f"{name}.po")


def write(catalog: Catalog, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = io.BytesIO()
    write_po(out, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
    header = (
        'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n'
        f'"Language: {path.parent.name}\\n"\n"Plural-Forms: nplurals=1; plural=0;\\n"\n\n'
    )
    path.write_text(header + out.getvalue().decode().lstrip("\n"), encoding="utf-8")


def check() -> list[str]:
    wanted = used()
    problems = []
    for language in LANGUAGES:
        seen: dict[Key, str] = {}
        for path in subjects(language):
            place = f"{language}/{path.name}"
            for key, message in entries(read(path, language)):
                said = translation(message)
                if key in seen and seen[key] != said:
                    problems.append(f"{place}: translated twice: {key[1]!r}")
                seen[key] = said
                problems += [f"{place}: {fault}: {key[1]!r}" for fault in faults(message, said)]
                if key not in wanted:
                    problems.append(f"{place}: nobody says this any more: {key[1]!r}")
        problems += [
            f"{language}: not in any catalogue: {key[1]!r} ({where})"
            for key, where in wanted.items()
            if key not in seen
        ]
    return problems


def translation(message: Message) -> str:
    return message.string if isinstance(message.string, str) else (message.string or ("",))[0]


def faults(message: Message, said: str) -> list[str]:
    found = []
    if message.fuzzy:
        found.append("fuzzy")
    if not said:
        found.append("untranslated")
    else:
        original = message.id if isinstance(message.id, str) else message.id[1]
        if places(original) != places(said):
            found.append("other places than the English")
        if HALF_WIDTH.search(PLACE.sub("字", said)):
            found.append("half-width punctuation beside Chinese")
    return found


PLACE = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
HALF_WIDTH = re.compile(r"(?<=[\u4e00-\u9fff）」”])[,;:!?()]|[,;!?()](?=[\u4e00-\u9fff])")


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s", text))


def compile_all() -> None:
    for language in LANGUAGES:
        whole = Catalog(locale=language, domain="django")
        for path in subjects(language):
            for key, message in entries(read(path, language)):
                if translation(message) and not message.fuzzy:
                    whole.add(key[1], message.string, context=key[0])
        target = LOCALE / language / "LC_MESSAGES" / "django.mo"
        target.parent.mkdir(parents=True, exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            write_mo(file, whole)
        unfinished.replace(target)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
