"""Vendored files are the recorded ones, the style sheet is whole, and the first load of a phone stays small."""

import gzip
import hashlib
import re
import tomllib
from pathlib import Path

import pytest

from changke.interfaces.web import bundle

WEB = Path(bundle.__file__).parent
STATIC = WEB / "static" / "web"
BUDGET_BYTES = 60_000
"""Of the design: a staff phone's first load without charts."""


@pytest.mark.parametrize("folder", [STATIC / "vendor", Path(__file__).parents[2] / "browser" / "vendor"])
def test_vendored_files_are_what_their_record_says(folder: Path) -> None:
    record = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))
    for name, entry in record.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry["sha256"], name
        assert entry["licence"]
        assert entry["version"]
    shipped = {file.name for file in folder.glob("*.min.js")} | {file.name for file in folder.glob("*.svg")}
    assert shipped == set(record)


def test_every_style_sheet_is_in_the_bundle() -> None:
    assert set(bundle.parts()) == set(bundle.SOURCES.rglob("*.css"))
    assert bundle.parts()[0].name == "tokens.css"


def test_colours_are_written_only_as_tokens() -> None:
    """White and black on known grounds, and the door's picture, are the exceptions."""
    allowed = re.compile(r"#(000|FFF|FFFFFF)[0-9A-F]{0,2}\b", re.IGNORECASE)
    drawn = {"tokens.css", "login.css", "layout.css", "pills.css", "overlay.css", "print.css", "form.css"}
    for part in bundle.parts():
        if part.name in drawn:
            continue
        strange = [
            c for c in re.findall(r"#[0-9A-Fa-f]{3,8}\b", part.read_text(encoding="utf-8")) if not allowed.match(c)
        ]
        assert strange == [], part.name


def test_every_icon_of_the_templates_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor" / "icons.svg").read_text(encoding="utf-8")))
    for template in (WEB / "templates").rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        used = set(re.findall(r'{% icon "([^"]+)"', text)) | set(re.findall(r'icon_name="([a-z0-9-]+)"', text))
        assert used <= sprite, template.name


def test_comments_of_templates_are_closed_on_their_line() -> None:
    """Django prints a comment that runs over a line end."""
    for template in (WEB / "templates").rglob("*.html"):
        for line in template.read_text(encoding="utf-8").splitlines():
            assert line.count("{#") == line.count("#}"), f"{template.name}: {line}"


def test_the_first_load_of_a_phone_leaves_room_for_the_page() -> None:
    scripts = [*STATIC.glob("js/*.js"), STATIC / "vendor" / "htmx.min.js", STATIC / "vendor" / "icons.svg"]
    sizes = [len(gzip.compress(file.read_bytes())) for file in scripts]
    sizes.append(len(gzip.compress(bundle.joined(bundle.parts()).encode())))
    assert sum(sizes) < BUDGET_BYTES - 20_000
