"""Fuzz one target with atheris for some minutes of the processor; what crashes is kept in the corpus.

    python -m tests.fuzz delimited --seconds 600

Inputs that reach new code are kept in a passing folder; a crash is written to `tests/fuzz/corpus/<target>/` and is from
then on read by every run of the tests.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import atheris
import django

os.environ |= {"DJANGO_SETTINGS_MODULE": "changke.settings", "DATA_DIR": tempfile.gettempdir()}
with atheris.instrument_imports(include=["changke.interfaces.importers"]):
    django.setup()  # readers name models; no database is asked
    from tests.fuzz.seeds import seeds_of
    from tests.fuzz.spent import LONGER_BY, until_spent
    from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).parent / "corpus"
LONGEST_BYTES = 20_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=600, help="of the processor, not of the wall")
    parser.add_argument("--slowest", type=int, default=20, help="seconds for one input; more where the machine is full")
    arguments = parser.parse_args()
    found = CORPUS / arguments.target
    found.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as passing:
        for number, seed in enumerate(seeds_of(arguments.target)):
            (Path(passing) / f"seed-{number}").write_bytes(seed)
        atheris.Setup(
            [
                sys.argv[0], passing, str(found), f"-max_total_time={arguments.seconds * LONGER_BY}",
                f"-max_len={LONGEST_BYTES}", f"-artifact_prefix={found}/", "-rss_limit_mb=2048",
                f"-timeout={arguments.slowest}", "-print_final_stats=1",
            ],
            until_spent(TARGETS[arguments.target], seconds=arguments.seconds),
        )  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
