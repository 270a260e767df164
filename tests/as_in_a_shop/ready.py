"""Loads the libraries of the product and nothing of its own, then becomes one command after the other: for every line
of JSON on the way in it forks, the fork takes over words, environment and output and runs `changke`, and its exit code
is the line on the way out. What a command does and says is its own; only the libraries are loaded once for all of them.
"""

import json
import os
import sys
from importlib import import_module

LIBRARIES = (
    "adbc_driver_postgresql.dbapi", "asyncio", "croniter", "cryptography.hazmat.primitives.ciphers.aead",
    "django.contrib.auth.hashers", "django.core.management", "django.db.models", "django.db.migrations.executor",
    "django.forms", "django.template", "django.urls", "duckdb", "granian", "logging.config", "multiprocessing", "numpy",
    "phonenumbers", "procrastinate", "psycopg", "psycopg_pool", "pydantic", "pypinyin", "python_calamine",
    "scipy.optimize", "scipy.special", "segno", "sqlglot", "sqlglot.dialects.duckdb", "sqlglot.dialects.postgres",
    "xlsxwriter",
)  # fmt: skip


def become(words: list[str], environment: dict[str, str], out: str, err: str) -> None:
    os.chdir("/")
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, taken in ((0, nothing), (1, os.open(out, os.O_WRONLY)), (2, os.open(err, os.O_WRONLY))):
        os.dup2(taken, number)
        os.close(taken)
    sys.argv = ["changke", *words]


def main() -> int:
    for name in LIBRARIES:
        import_module(name)
    assert not any(name.split(".")[0] == "changke" for name in sys.modules), "what is ours reads the environment"
    assert not import_module("django.conf").settings.configured
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            become(**json.loads(line))
            code: int = import_module("changke.interfaces.cli").main()
            return code
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
