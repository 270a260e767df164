"""The reference is written by the code; what is committed is what the code says today."""

import pytest
from scripts import reference


@pytest.mark.parametrize("name", list(reference.PAGES))
def test_the_reference_says_what_the_code_says(name: str) -> None:
    committed = (reference.FOLDER / name).read_text(encoding="utf-8")
    assert reference.PAGES[name]() == committed, "run `make docs` and commit what it writes"


def test_a_setting_that_nobody_described_is_refused() -> None:
    with pytest.raises(SystemExit, match=r"add \['NEW_SETTING'\]"):
        reference.same(["NEW_SETTING", "OLD"], ["OLD"], "here")


@pytest.mark.parametrize(
    "source",
    [
        'os.environ.get("NAME", "")',
        'environ["NAME"]',
        '"NAME" in os.environ',
        'switch("NAME", False)',
        'listed("NAME")',
    ],
)
def test_every_way_of_reading_the_environment_is_seen(source: str) -> None:
    tree = reference.ast.parse(source)
    assert [name for node in reference.ast.walk(tree) for name in reference.names_in(node)] == ["NAME"]
