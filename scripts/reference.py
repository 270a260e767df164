"""Write docs/reference from the code itself, so that it cannot lie: attributes, commands, settings, columns of files.

    python -m scripts.reference

tests/house/test_reference.py compares the files with a fresh run. What the code cannot say of itself (what a setting
means) stands in the two tables below; a setting missing from them, or one of theirs that nobody reads, is refused.
"""

import ast
import contextlib
import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.settings")
django.setup()

from django.core.management import load_command_class  # noqa: E402 Django must be set up first
from django.db.models import NOT_PROVIDED, Field  # noqa: E402
from django.utils import translation  # noqa: E402

from changke.engine.definitions.definition import Definition  # noqa: E402
from changke.foundation.access.capabilities import BUILT_IN, OF_THE_CHAIN, Capability  # noqa: E402
from changke.foundation.organisation.models import Chain  # noqa: E402
from changke.interfaces import permissions as doors  # noqa: E402
from changke.interfaces.capabilities import MEANINGS  # noqa: E402
from changke.interfaces.cli.commands import GROUPS, Command  # noqa: E402
from changke.interfaces.importers import columns  # noqa: E402
from changke.interfaces.web.settings.stages import FIELDS as ON_PAGE  # noqa: E402
from changke.profiles.attributes.catalogue import REGISTRY  # noqa: E402

CHECKOUT = Path(__file__).resolve().parent.parent
SOURCE = CHECKOUT / "src" / "changke"
FOLDER = CHECKOUT / "docs" / "reference"
MADE = "<!-- Written by scripts/reference.py (`make docs`): change the code, not this page. -->"

ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "DATA_DIR": ("the data folder: database, secrets, uploads, photos", "`data` in the current folder"),
    "PORT": ("port of the site", "8000"),
    "HOST": ("address that the site listens on; `0.0.0.0` for every network of the machine", "127.0.0.1"),
    "DATABASE_URL": ("the owner of a PostgreSQL of your own, instead of the embedded one", "the embedded server"),
    "DATABASE_APP_URL": ("its user for pages and jobs, who changes only what may change", "`DATABASE_URL`"),
    "DATABASE_READER_URL": ("its user who only reads: mirror and backup", "`DATABASE_URL`"),
    "DATABASE_ROLE": ("as whom a process works: owner, app or reader; `changke` sets it per command", "app"),
    "SECRET_KEY": ("the signing key of sessions", "made at the first start, in the data folder"),
    "SECRET_KEY_FILE": ("a file with the signing key", "`secrets/` of the data folder"),
    "MASTER_KEY": ("the master key of phones and addresses, as `changke keys backup` writes it", "`MASTER_KEY_FILE`"),
    "MASTER_KEY_FILE": (
        "a file with the master key, outside the database and its backups",
        "`secrets/` of the data folder",
    ),
    "ERASED_FILE": (
        "who was erased, read after every restore; keep a copy elsewhere",
        "`erased.jsonl` of the data folder",
    ),
    "ALLOWED_HOSTS": ("further names under which the site is reached, separated by commas", "this machine's own"),
    "CSRF_TRUSTED_ORIGINS": ("origins whose forms are taken, such as `https://changke.example.com`", "none"),
    "BEHIND_HTTPS": ("1 when a proxy ends TLS: cookies go over HTTPS only", "0"),
    "TRUSTED_PROXIES": (
        "addresses or networks of proxies whose `X-Forwarded-For` is believed",
        "this machine's own with `BEHIND_HTTPS`, else none",
    ),
    "DEBUG": ("1 shows errors with their source, for developers only", "0"),
    "STATIC_ROOT": ("where the site keeps its style sheets and scripts, ready to serve", "`static` of the data folder"),
    "UPLOAD_LIMIT_BYTES": ("the largest file that the import page takes", "4294967296 (4 GiB)"),
    "LC_ALL": ("language of the terminal: Chinese, traditional Chinese or English", "simplified Chinese"),
    "LC_MESSAGES": ("the same, where `LC_ALL` is not set", "as above"),
    "LANG": ("the same, where neither of them is set", "as above"),
    "CHANGKE_CHILD": ("set by `changke up` for its parts: they end when it ends", "not set"),
}
READERS = ("settings.py", "foundation", "interfaces/cli", "interfaces/management")
"""Where the environment may be read; relative to the package."""

CHAIN: Mapping[str, str] = {
    "name": "name of the chain",
    "currency": "the one currency of all amounts (ISO 4217)",
    "time_zone": "zone of stores that do not say theirs",
    "language": "language of pages before a person chooses one",
    "activity_kinds": "what counts as having been active: a visit, a purchase, the use of a card",
    "silent_after_days": "days without activity after which a customer is silent",
    "lost_after_days": "days without activity after which she is lost; more than the silent ones",
    "mature_visit_days": "visit days within 365 days from which a customer of value is mature (model M4)",
    "second_factor_required": "whether owner and headquarters must bring a code beside their password",
    "gap_weight": "how many gaps of the chain a customer's own gaps are weighed against",
}


def main() -> None:
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), encoding="utf-8")
        print(f"docs/reference/{name}")


def attributes() -> str:
    """Every attribute under the definition it comes from; then what attributes are made of."""
    ours = [one for one in REGISTRY.order if one.grain == "customer"]
    steps = [one for one in REGISTRY.order if one.grain != "customer"]
    return page(
        "Attributes",
        f"{len(REGISTRY.attributes)} numbers and words about one customer, each defined once in a file of "
        "`src/changke/profiles/attributes/definitions/`. Money is in the smallest unit of the chain's currency, days "
        "are whole days; a customer of whom nothing is known has the value under *else*, or it is unknown. How to add "
        "one: [../howto/add-an-attribute.md](../howto/add-an-attribute.md).",
        *[part for one in sorted(ours, key=lambda one: one.name) for part in definition(one)],
        "# What they are made of",
        "Steps between the facts and the attributes. Those of grain population are computed for all by night.",
        *[part for one in sorted(steps, key=lambda one: one.name) for part in definition(one)],
    )


def definition(one: Definition) -> list[str]:
    says = f"{one.says.rstrip('.')}. Grain: {one.grain}. From: {', '.join(one.inputs)}."
    if one.settings:
        says += f" Settings: {', '.join(one.settings)}."
    rows = [
        (f"`{column.name}`", column.type, "unknown" if column.absent is None else column.absent, column.words)
        for column in one.columns
    ]
    return [f"## {one.path.name}", says[0].upper() + says[1:], table(("name", "type", "else", "what it is"), rows)]


def commands() -> str:
    """Every verb of the command line, as `changke help` groups them."""
    parts = []
    for group, listed in GROUPS.items():
        parts.append(f"## {group}")
        rows = [(f"`{one.name}`", one.summary, f"`{example_of(one)}`") for one in listed]
        parts.append(table(("command", "does", "example"), rows))
    return page(
        "Commands",
        "`changke COMMAND --help` shows every option. All take `--data DIR`; those that print data take `--json`: one "
        "object on the last line.",
        *parts,
    )


def example_of(command: Command) -> str:
    """The line after `example:` of its help."""
    printed = io.StringIO()
    if command.own is None:
        parser = load_command_class("changke.interfaces", command.name).create_parser("changke", command.name)
        printed.write(parser.epilog or "")
    else:
        with contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
            command.own(["--help"])
    _, found, after = printed.getvalue().partition("example:\n")
    if not found:
        raise SystemExit(f"changke {command.name} --help shows no example")
    return " ".join(after.strip().splitlines()[0].split())


def settings() -> str:
    """The environment, then what the chain itself decides."""
    read = set(environment_read())
    same(read, ENVIRONMENT, "ENVIRONMENT in scripts/reference.py")
    chain: dict[str, Field[object, object]] = {
        field.name: field for field in Chain._meta.get_fields() if isinstance(field, Field) and field.editable
    }
    chain.pop("id", None)
    same(chain, CHAIN, "CHAIN in scripts/reference.py")
    return page(
        "Settings",
        "## From the environment",
        "Read once at start; a mistake is said with its remedy.",
        table(
            ("name", "meaning", "default"),
            [(f"`{name}`", meaning, default) for name, (meaning, default) in ENVIRONMENT.items()],
        ),
        "## Of the chain",
        "Owner and headquarters change what stands on the page Settings. Currency and time zone are said when it "
        "is founded, and stay.",
        table(
            ("name", "meaning", "default", "on the page"),
            [
                (f"`{name}`", meaning, default_of(chain[name]), "yes" if name in ON_PAGE else "no")
                for name, meaning in CHAIN.items()
            ],
        ),
    )


def environment_read() -> Iterator[str]:
    """Names of environment variables that the source reads."""
    for place in READERS:
        path = SOURCE / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                yield from names_in(node)


def names_in(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(attr="get", value=source), args=[ast.Constant(value=str(name)), *_]):
            if is_environ(source):
                yield name
        case ast.Call(func=ast.Name(id="switch" | "listed" | "networks"), args=[ast.Constant(value=str(name)), *_]):
            yield name
        case ast.Subscript(value=source, slice=ast.Constant(value=str(name)), ctx=ast.Load()):
            if is_environ(source):
                yield name
        case ast.Compare(left=ast.Constant(value=str(name)), comparators=[source]):
            if is_environ(source):
                yield name
        case ast.GeneratorExp(elt=element, generators=[ast.comprehension(iter=ast.Tuple(elts=items))]):
            if "environ[" in ast.unparse(element):
                yield from (str(item.value) for item in items if isinstance(item, ast.Constant))


def is_environ(node: ast.expr) -> bool:
    return ast.unparse(node) in {"environ", "os.environ"}


def default_of(field: "Field[object, object]") -> str:
    if field.default is NOT_PROVIDED:
        return "none"
    value = field.get_default()
    return ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)


def import_columns() -> str:
    """What the columns of a file may be called, kind by kind."""
    parts: list[str] = []
    for kind in columns.KINDS:
        rows = [(f"`{name}`", "、".join(columns.synonyms(kind, name))) for name in columns.fields_of(kind)]
        parts += [f"## {kind}", table(("field", "recognised headings"), rows)]
    words = [
        (
            f"`{field}`",
            f"`{code}`",
            "、".join(word for word, meant in columns.cell_words(field).items() if meant == code),
        )
        for field in ("type", "item_kind", "tender")
        for code in dict.fromkeys(columns.cell_words(field).values())
    ]
    return page(
        "Columns of files",
        "Which headings an import recognises by itself, without regard to case, spaces, punctuation and what stands in "
        "brackets. The list is `src/changke/interfaces/importers/words.toml`; any other heading is chosen once in the "
        "wizard, or named with `changke load --column FIELD=HEADING`, and remembered. The first heading of a list that "
        "the file has is taken; one column serves one field.",
        *parts,
        "## Words in cells",
        table(("field", "code", "words"), words),
    )


def permissions() -> str:
    """Every capability with the roles that hold it; every page and API route with what it needs."""
    roles = list(BUILT_IN)
    held = [
        (f"`{one.value}`", MEANINGS[one], "chain" if one in OF_THE_CHAIN else "stores", *_holders(one))
        for one in Capability
    ]
    with translation.override("en"):
        return page(
            "Permissions",
            "A role is a set of capabilities; granting it on the chain, a region or a store says where. What concerns "
            "the *chain* counts only where the role is granted on the whole chain. These five roles are built in; a "
            "chain adds its own (settings, roles). What somebody may not see answers 404, what his role does not "
            "include 403. `tests/interfaces/test_permission_matrix.py` asks every address below as every role, about "
            "an own and a foreign customer.",
            "## Capabilities and built-in roles",
            table(("capability", "what it allows", "of", *roles), [tuple(map(str, row)) for row in held]),
            "## Pages",
            table(("address", "", "needs"), [(f"`{one.path}`", one.method, _needs(one)) for one in doors.pages()]),
            "## API",
            table(("route", "", "needs"), [(f"`{one.path}`", one.method, _needs(one)) for one in doors.routes()]),
        )


def _holders(capability: Capability) -> Iterator[str]:
    for held in BUILT_IN.values():
        yield "yes" if capability in held else ""


def _needs(door: doors.Door) -> str:
    if door.open:
        return "nobody is logged in yet"
    return f"`{door.needs.value}`" if door.needs else f"any log-in: {doors.OPEN.get(door.name, 'nobody said why')}"


def same(found: Iterable[str], described: Iterable[str], where: str) -> None:
    missing, stale = set(found) - set(described), set(described) - set(found)
    if missing or stale:
        raise SystemExit(f"{where}: add {sorted(missing)}, remove {sorted(stale)}")


def page(title: str, *parts: str) -> str:
    return "\n\n".join([f"# {title}", MADE, *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


PAGES: Mapping[str, Callable[[], str]] = {
    "attributes.md": attributes,
    "commands.md": commands,
    "settings.md": settings,
    "import-columns.md": import_columns,
    "permissions.md": permissions,
}

if __name__ == "__main__":
    main()
