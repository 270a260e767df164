"""Tests run on a real PostgreSQL (see `server.py`), in a real chain (see `cast.py`)."""

import base64
import gc
import os
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.core.management.commands import migrate
from django.db import connections
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django.plugin import DjangoDbBlocker

from changke.foundation.database.config import databases
from changke.foundation.database.migrating import Executor
from tests import server
from tests.kept import clear

if TYPE_CHECKING:
    from tests.cast import Cast

HERE = Path(__file__).parent
ALLOWED_SKIPS: list[str] = tomllib.loads((HERE / "allowed_skips.toml").read_text())["reasons"]
LONGEST = [
    "interfaces/test_cli.py",
    "profiles/test_spark.py",
    "interfaces/test_permission_matrix.py",
    "interfaces/test_backup_under_load.py",
    "foundation/test_launcher.py",
    "profiles/test_following_facts.py",
    "interfaces/test_any_postgresql.py",
    "browser/test_record.py",
    "browser/test_shell.py",
    "interfaces/web/test_imports.py",
    "browser/test_lifecycle_and_settings.py",
    "interfaces/importers/test_killed.py",
    "interfaces/test_upgrade.py",
    "browser/test_customers.py",
    "browser/test_imports.py",
    "browser/test_login.py",
    "browser/test_segments.py",
    "profiles/test_second_night.py",
    "interfaces/api/test_every_write_is_once.py",
    "profiles/risk/test_warnings.py",
    "profiles/test_attributes_by_hand.py",
    "profiles/test_past_of_a_customer.py",
    "browser/test_today.py",
    "profiles/test_lasting.py",
    "browser/test_many_customers.py",
    "profiles/value/test_predictions.py",
    "profiles/risk/test_backtests.py",
    "browser/test_privacy.py",
    "interfaces/api/test_permissions.py",
    "interfaces/api/test_one_door.py",
    "profiles/test_other_rules.py",
    "engine/affinity/test_pairs.py",
    "foundation/test_changing_the_key.py",
    "profiles/segments/test_agreement.py",
    "foundation/test_grants.py",
]
ALONE = {
    "OMP_NUM_THREADS": "1",
    "OMP_WAIT_POLICY": "passive",
    "OPENBLAS_NUM_THREADS": "1",
}
"""Several programs share the cores: threads of NumPy and LightGBM that spin until the others are done would take them
from whoever works. One training that takes 4 seconds by itself took 90."""
_skips: list[tuple[str, str]] = []


def pytest_configure(config: pytest.Config) -> None:
    """Before any test asks for a database. Each worker of a parallel run has a server of its own; who only hands out
    the tests needs none."""
    os.environ.update(ALONE)  # read when NumPy is imported
    os.environ["LC_ALL"] = "C.UTF-8"  # commands speak as the terminal does, and a developer's may speak English
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    _begin_elsewhere(config)
    url = server.start()
    settings.CONNECTIONS = databases({"DATABASE_URL": url}, settings.DATA_DIR)
    mine = settings.CONNECTIONS.owner.django()
    for where in (settings.DATABASES["default"], connections["default"].settings_dict):
        where.update(mine)
        where["CONN_MAX_AGE"] = 0
    os.environ["DATABASE_URL"] = url
    # Parts of the house that tests start as processes seal with the same key.
    settings.ERASED_FILE = Path(tempfile.mkdtemp(prefix="changke-tests-")) / "erased.jsonl"
    os.environ["MASTER_KEY"] = settings.MASTER_KEY = f"1 {base64.urlsafe_b64encode(bytes(range(32))).decode()}"
    # Argon2 is slow on purpose; hundreds of tests with seven log-ins each need not prove that. One test does.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # The tables of the tests are made as those of a shop are.
    migrate.MigrationExecutor = Executor
    # Django truncates every table after a test that commits and makes all permissions anew; few tables were written.
    TransactionTestCase._fixture_teardown = lambda case: clear()


def _begin_elsewhere(config: pytest.Config) -> None:
    """Of several that read all tests each begins with others: what one has read and rewritten, the next finds done."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    if worker and [Path(arg) for arg in config.args] in ([HERE], [Path(HERE.name)]):
        files = sorted(map(str, HERE.rglob("test_*.py")))
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args[:] = files[first:] + files[:first]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """`-n auto`: two more than there are cores, because many tests wait: for a browser, a server, another process."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first: the last ones of a parallel run should be short."""
    order = {str(HERE / name): place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: (order.get(str(item.path), len(order)), str(item.path)))


def pytest_collection_finish() -> None:
    """What has been imported stays: nobody need look through it for garbage again, nor at every turn."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def pytest_unconfigure() -> None:
    gc.unfreeze()


def pytest_runtest_setup() -> None:
    """A page asked for in English leaves its thread speaking English; the next test begins in the first language."""
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _plain_static_files() -> None:
    settings.STORAGES["staticfiles"]["BACKEND"] = "django.contrib.staticfiles.storage.StaticFilesStorage"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and isinstance(report.longrepr, tuple):
        _skips.append((report.nodeid, report.longrepr[2].removeprefix("Skipped: ")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In CI a skip outside the allowed list is a failure: a test that does not run proves nothing."""
    outside = [skip for skip in _skips if not skip[1].startswith(tuple(ALLOWED_SKIPS))]
    if outside and os.environ.get("CI") and not hasattr(session.config, "workerinput"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for node, reason in _skips:
        mark = "" if reason.startswith(tuple(ALLOWED_SKIPS)) else " (not an allowed reason)"
        terminalreporter.write_line(f"skipped{mark}: {node}: {reason}")


@pytest.fixture
def cast(db: None) -> "Cast":
    """The tiny chain of `cast.py`, fresh for this test."""
    from tests.cast import assemble  # noqa: PLC0415  models exist only once Django is set up

    return assemble()


@pytest.fixture(scope="module")
def computed_cast(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator["Cast"]:
    """The cast with everybody's profile and stage computed. Committed for the module: the mirror reads over a
    connection of its own. Tests that use it are marked `django_db`; what they write is rolled back."""
    from changke.profiles.lifecycle.services import refresh_all  # noqa: PLC0415
    from tests.cast import NOW, assemble  # noqa: PLC0415

    with django_db_blocker.unblock():
        try:
            people = assemble()
            refresh_all(now=NOW, mirror=tmp_path_factory.mktemp("mirror") / "mirror.duckdb")
            yield people
        finally:
            clear()
