"""Seconds and memory of a piece of work, alike for us and for a peer in another interpreter: standard library only."""

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNS = 3


def stage(name: str, work: Callable[[], Any]) -> Any:
    """Run it three times; print the medians of wall and processor seconds, and the most memory above what was held."""
    walls, processor, most, found = [], [], 0, None
    for _ in range(RUNS):
        found = None
        held = _forget_peak()
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        walls.append(time.perf_counter() - wall)
        processor.append(time.process_time() - cpu)
        most = max(most, _kib("VmHWM") - held)
    told = {"wall": statistics.median(walls), "cpu": statistics.median(processor), "mib": most / 1024}
    print(json.dumps({"stage": name, **told}), flush=True)
    return found


def _forget_peak() -> int:
    """Memory held now, in KiB; from here on the peak is counted anew."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return _kib("VmRSS")


def _kib(name: str) -> int:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{name}:")[1].split()[0])
