"""What sealing costs: `python -m benchmarks.sealing`. One process, no database (that part is in benchmarks/load.py).

Seconds of CPU, so that a busy machine tells the same. Baseline in the same run: the same loop without keys and seals,
which is what a phone in clear costs Python.
"""

import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from changke.foundation.persons.cipher import Vault, new_key, seal, unseal

PHONES = 100_000
PAGE = 50


def main() -> None:
    safe = Vault({1: new_key()}, [1])
    phones = [f"+8613{number:09}" for number in range(PHONES)]
    print(f"{os.cpu_count()} cores, {PHONES:,} phones, one process")
    clear = _timed(lambda: [(place, phone, phone[-4:]) for place, phone in enumerate(phones)])
    wrapped: list[tuple[bytes, bytes]] = []

    def new_persons() -> None:
        for person, phone in enumerate(phones):
            key = new_key()
            kept = safe.wrap(person, key)
            sealed = seal(AESGCM(key), phone, f"facts_identifier|value|{person}")
            safe.blind("phone", phone)
            safe.blind("phone tail", phone[-4:])
            wrapped.append((kept, sealed))

    sealing = _timed(new_persons)
    found = _timed(lambda: [safe.blind("phone", phone) for phone in phones])

    def page() -> None:
        for person, (kept, sealed) in enumerate(wrapped[:PAGE]):
            unseal(AESGCM(safe.unwrap(person, kept, 1)), sealed, f"facts_identifier|value|{person}")

    times = sorted(_timed(page) for _ in range(200))
    print(f"in clear                       {clear / PHONES * 1e6:6.2f} us a phone")
    print(f"new key, sealed, both indexes  {sealing / PHONES * 1e6:6.2f} us a phone, {sealing * 10:4.1f} s a million")
    print(f"blind index alone (a match)    {found / PHONES * 1e6:6.2f} us a phone")
    print(f"a page of {PAGE} opened          {times[100] * 1e3:6.2f} ms in the middle, {times[190] * 1e3:.2f} ms p95")


def _timed(run: Callable[[], object]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


if __name__ == "__main__":
    main()
