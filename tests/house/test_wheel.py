"""The built wheel is the whole product: `pip install` of it does without a checkout what the checkout does."""

from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

CHECKOUT = Path(__file__).parents[2]
CARRIED = {"src/changke": "changke", "playbooks": "changke/playbooks", "locale": "changke/locale"}
"""Folders of the checkout, and where the package looks for what is in them (`settings.packaged`)."""
DATA = [".html", ".css", ".js", ".svg", ".sql", ".toml", ".json", ".csv", ".xlsx", ".mo"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in the wheel, made by the build backend alone: a quarter of a second."""
    folder = str(tmp_path_factory.mktemp("wheel"))
    (built,) = WheelBuilder(str(CHECKOUT)).build(directory=folder, versions=["standard"])
    with ZipFile(built) as packed:
        return {name for name in packed.namelist() if ".dist-info/" not in name}


def ours() -> set[str]:
    """Every file of the product by its name in the wheel. The words have to be compiled: one catalogue a language."""
    files = [path.relative_to(CHECKOUT) for folder in CARRIED for path in (CHECKOUT / folder).rglob("*")]
    files += {Path(*path.parts[:2], "LC_MESSAGES", "django.mo") for path in files if path.suffix == ".po"}
    return {
        f"{inside}/{path.relative_to(folder)}"
        for folder, inside in CARRIED.items()
        for path in files
        if path.is_relative_to(folder) and not (CHECKOUT / path).is_dir() and path.suffix != ".pyc"
    }


def test_the_wheel_carries_every_file_of_the_product_and_nothing_else(wheel: set[str]) -> None:
    assert sorted(ours() - wheel) == []
    assert sorted(wheel - ours()) == []


@pytest.mark.parametrize("kind", DATA)
def test_it_carries_files_of_each_kind_that_is_no_python(wheel: set[str], kind: str) -> None:
    """Else the two lists above might be equal and lack it both."""
    assert any(name.endswith(kind) for name in wheel)
