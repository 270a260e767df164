"""Every component stands on the style guide, where people and the browser tests look at it."""

import re

from django.conf import settings

TEMPLATES = settings.TEMPLATES[0]["DIRS"][0]
ANOTHER_WAY = {"icon": "{% icon", "toast": "?toast=1"}
"""Shown on the page by another tag than their own."""


def test_every_component_is_on_the_style_guide() -> None:
    guide = (TEMPLATES / "shell" / "styleguide.html").read_text(encoding="utf-8")
    names = [file.stem.replace("_", "-") for file in sorted((TEMPLATES / "cotton").glob("*.html"))]
    assert names
    assert [name for name in names if not shown(name, guide)] == []


def test_a_component_that_only_begins_like_another_is_missed() -> None:
    assert not shown("fact", "<c-facts>")
    assert shown("fact", '<c-fact name="x">')


def shown(name: str, guide: str) -> bool:
    return re.search(rf"<c-{name}[\s/>]", guide) is not None or (name in ANOTHER_WAY and ANOTHER_WAY[name] in guide)


def test_every_component_says_what_it_is() -> None:
    silent = [file.name for file in (TEMPLATES / "cotton").glob("*.html") if not file.read_text().startswith("{# ")]
    assert silent == []
