"""A child that ends with its parent, whatever ends the parent.

`changke up` stops its children in order. Killed with -9 it cannot, and children that live on would hold the port.
"""

import os
import signal
import threading
import time

LOOK_SECONDS = 1.0


def follow_parent() -> None:
    """End this process, as by SIGTERM, when the process that started it is gone."""
    parent = os.getppid()
    threading.Thread(target=_watch, args=(parent,), name="lifeline", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(20)
    os._exit(1)  # whoever ignored the request is stuck, and nobody is left to kill it
