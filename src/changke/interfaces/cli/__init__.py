"""The console script `changke`. This file imports nothing beyond Python, so that it can say what is missing."""

import gc
import sys
from importlib import import_module
from importlib.util import find_spec

NEEDED = ("django", "psycopg", "granian", "procrastinate")


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0 for done, 1 for failed, 2 for called wrongly, 130 for interrupted."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        print(
            f"changke: only the analytics engine is installed ({', '.join(missing)} missing). "
            "For the product: pip install 'changke[server]'",
            file=sys.stderr,
        )
        return 2
    # A command imports a few hundred thousand objects that all stay: looking through them for garbage every 700 of them
    # is a sixth of its start.
    gc.set_threshold(50_000, 20, 50)
    # Only now, because it needs what was just looked for.
    code: int = import_module("changke.interfaces.cli.run").main(sys.argv[1:] if argv is None else argv)
    return code


if __name__ == "__main__":
    sys.exit(main())
