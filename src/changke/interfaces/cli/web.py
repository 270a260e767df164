"""`changke web`: the site alone, by granian."""

import argparse
import os

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from changke.interfaces.cli.address import add_address_arguments, read_address
from changke.interfaces.cli.session import database
from changke.interfaces.lifeline import follow_parent

WORKERS = 2
THREADS = 4  # of one worker; each holds a database connection of its own
STOP_SECONDS = 10


def web(words: list[str]) -> int:
    """Serve the site until told to stop."""
    parser = argparse.ArgumentParser(
        prog="changke web",
        description="Serve the site alone (`changke up` does it together with database and worker).",
        epilog="example:\n  changke web --port 8000 --workers 4",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder (else DATA_DIR, else ./data)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="processes")
    add_address_arguments(parser)
    options = parser.parse_args(words)
    address = read_address(options)
    os.environ["DATABASE_ROLE"] = "app"
    os.environ.update(address.environment())
    if "CHANGKE_CHILD" in os.environ:
        follow_parent()
    with database(starts=False):
        Granian(
            "changke.interfaces.site:application",
            address=address.host,
            port=address.port,
            interface=Interfaces.WSGI,
            workers=options.workers,
            blocking_threads=THREADS,
            ssl_cert=address.certificate,
            ssl_key=address.key,
            log_level=LogLevels.warning,
            respawn_failed_workers=True,
            workers_kill_timeout=STOP_SECONDS,
        ).serve()
    return 0
