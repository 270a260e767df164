"""What the doors think: how long a wrong try waits, who stands behind a proxy."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import pairwise

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


@dataclass(frozen=True)
class Patience:
    """How many failures cost nothing, how long the wait may become, and when all is forgotten."""

    free: int
    longest: dt.timedelta
    forgotten_after: dt.timedelta

    def wait(self, failures: int) -> dt.timedelta:
        """The wait after so many failures: none, then 1, 2, 4 ... seconds up to the longest."""
        if failures < self.free:
            return dt.timedelta(0)
        doublings = min(failures - self.free, 30)
        return min(self.longest, dt.timedelta(seconds=2**doublings))


def client_of(peer: str, forwarded_for: str, trusted: Iterable[Network]) -> str:
    """Who asks: the peer itself or, where the peer is a proxy we trust, whom it says it speaks for.

    `X-Forwarded-For` grows to the right, and anybody may send a beginning of it. So it is read from the right, and only
    as long as the one who wrote the entry is trusted.
    """
    known = _address(peer)
    networks = tuple(trusted)
    hops = forwarded_for.split(",") if forwarded_for else []
    while known is not None and hops and any(known in network for network in networks):
        further = _address(hops.pop())
        if further is None:
            break
        known = further
    return str(known) if known is not None else peer


def counted_as(address: str) -> str:
    """Under which name the failures of an address are counted: a home has a whole /64 of version 6 to try from."""
    known = _address(address)
    if isinstance(known, IPv6Address):
        return f"{IPv6Address(int(known) >> 64 << 64)}/64"
    return str(known) if known is not None else address[:60]


def _address(text: str) -> Address | None:
    """An address as a proxy may write it: bare, with a port, or in brackets."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        known = ip_address(text)
    except ValueError:
        return None
    mapped = known.ipv4_mapped if isinstance(known, IPv6Address) else None
    return mapped or known


def is_easy_pin(pin: str) -> bool:
    """Whether six digits are among the first that anybody tries: few different ones, a row, a pattern, a date."""
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    halves = pin[:3] == pin[3:] or pin[:3] == pin[:2:-1] or pin[:2] == pin[2:4] == pin[4:]
    return len(set(pin)) < 3 or len(steps) == 1 or halves or pin in {"520131", "131452", "147258", "258369", "112233"}
