"""What a command carries along when it starts."""

import subprocess
import sys

HEAVY = ("scipy", "pyarrow", "adbc_driver_manager", "changke.interfaces.jobs")


def test_a_load_starts_without_statistics_and_jobs() -> None:
    """Each of them is tens of megabytes that a load of a million rows has no room for."""
    words = f"""
import sys, django
django.setup()
import changke.interfaces.importers.pipeline
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_the_worker_knows_every_job_all_the_same() -> None:
    words = """
import django
django.setup()
from procrastinate.contrib.django import app
app.perform_import_paths()
from changke.interfaces import jobs
print(sorted({"refresh_everybody", "forget_shop", "undo_batch"} - set(app.tasks)))
"""
    ran = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
