"""The first command on a bare machine: what it lacks is said in one line, what takes long says that it lives.

The Makefile is the real one, in an empty checkout. Python and pip are small programs: the first answers as one of
another age or without venv, the second tells how it was called.
"""

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

MAKEFILE = Path(__file__).parents[2] / "Makefile"
OLD = "sys.version_info = (3, 10, 14, 'final', 0)"
WITHOUT_VENV = "sys.modules['ensurepip'] = None"

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make here")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "requirements").mkdir()
    for file in ("pyproject.toml", "requirements/server.lock", "requirements/dev.lock"):
        (tmp_path / file).touch()
    return tmp_path


def python(checkout: Path, *, lacking: str) -> Path:
    """A Python with something amiss, for `python -c`; whatever else one asks of it leaves a trace."""
    amiss = f"import sys; {lacking}; exec(sys.argv[1])"
    return program(
        checkout / "python",
        f'if [ "$1" = -c ]; then exec "{sys.executable}" -S -c "{amiss}" "$2"; fi; echo "$@" >>"{checkout}/asked"',
    )


def program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def words(checkout: Path, *asked: str) -> list[str]:
    return ["make", "--no-print-directory", "-C", str(checkout), "-f", str(MAKEFILE), *asked]


def make(checkout: Path, *asked: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(words(checkout, *asked), check=False, capture_output=True, text=True, env=environ, timeout=60)


@pytest.mark.parametrize("goal", ["setup", "demo", "test"])
@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (OLD, "Python 3.11 or newer is needed. As root: apt install python3; or another: make {} PYTHON=python3.12"),
        (WITHOUT_VENV, "This Python cannot make virtual environments. As root: apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_stops_at_once_with_the_line_that_mends_it(
    checkout: Path, goal: str, lacking: str, said: str
) -> None:
    done = make(checkout, goal, f"PYTHON={python(checkout, lacking=lacking)}")
    ours, *others = done.stderr.splitlines()
    assert ours == said.format(goal)
    assert [line.partition(":")[0] for line in others] == ["make"]  # which tells where it stopped
    assert done.returncode == 2
    assert done.stdout == ""
    assert not (checkout / "asked").exists(), "it went on"
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_answered_with_the_same_line(checkout: Path) -> None:
    done = make(checkout, "setup", f"PYTHON={checkout}/nowhere")
    assert done.stderr.startswith("Python 3.11 or newer is needed. As root: apt install python3;")
    assert done.returncode == 2


def test_a_python_that_will_do_makes_the_environment_and_says_so_before(checkout: Path) -> None:
    done = make(checkout, ".venv/bin/python", f"PYTHON={python(checkout, lacking='pass')}")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Making the virtual environment .venv (once) ...\n"
    assert (checkout / "asked").read_text() == "-m venv .venv\n"


@pytest.fixture
def with_pip(checkout: Path) -> Path:
    program(checkout / ".venv" / "bin" / "python", "")
    program(checkout / ".venv" / "bin" / "pip", f'echo "$@" >>"{checkout}/asked"; echo "Collecting a package"')
    return checkout


ANNOUNCED = ["Installing what Changke needs (once) ...", "Installing what tests and checks need (once) ..."]


def test_in_a_log_one_line_goes_before_each_installation_and_pip_is_quiet(with_pip: Path) -> None:
    done = make(with_pip, ".venv/dev.done")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line in ANNOUNCED] == ANNOUNCED
    asked = (with_pip / "asked").read_text().splitlines()
    assert len(asked) == 3
    assert all("--quiet" in line for line in asked)


def test_on_a_terminal_pip_shows_how_far_it_is(with_pip: Path) -> None:
    terminal, its_end = pty.openpty()
    with os.fdopen(terminal, "rb", buffering=0), os.fdopen(its_end, "wb", buffering=0) as stream:
        environ = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        asked = words(with_pip, ".venv/dev.done")
        subprocess.run(asked, check=True, stdout=stream, stderr=stream, env=environ, timeout=60)
    assert "--quiet" not in (with_pip / "asked").read_text()
