"""How long a wrong try waits, and whose try it was."""

import datetime as dt
from ipaddress import ip_network

import pytest
from django.core.exceptions import ValidationError

from changke.foundation.login.passwords import NotGuessable
from changke.foundation.login.rules import Patience, client_of, counted_as

PROXY = [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24")]


@pytest.mark.parametrize(
    ("failures", "seconds"), [(0, 0), (2, 0), (3, 1), (4, 2), (5, 4), (10, 128), (12, 300), (10_000, 300)]
)
def test_each_failure_doubles_the_wait_up_to_the_longest(failures: int, seconds: int) -> None:
    patience = Patience(free=3, longest=dt.timedelta(minutes=5), forgotten_after=dt.timedelta(days=1))
    assert patience.wait(failures) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # who is no proxy of ours speaks for itself
        ("127.0.0.1", "", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", "192.0.2.66, 198.51.100.1", "198.51.100.1"),  # the left one is what the client wrote itself
        ("127.0.0.1", "198.51.100.1, 10.0.0.7", "198.51.100.1"),  # two proxies of ours
        ("127.0.0.1", "10.0.0.7", "10.0.0.7"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1, nonsense", "127.0.0.1"),
        ("127.0.0.1", "198.51.100.1:51234", "198.51.100.1"),
        ("127.0.0.1", "[2001:db8::1]:51234", "2001:db8::1"),
        ("::ffff:127.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("127.0.0.1", ", ,", "127.0.0.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_a_proxy_of_ours_says_who_asks_and_nobody_else_may(peer: str, forwarded_for: str, client: str) -> None:
    assert client_of(peer, forwarded_for, PROXY) == client


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.1", "198.51.100.2", False),
    ],
)
def test_a_network_of_version_6_counts_as_one_address(one: str, other: str, same: bool) -> None:
    assert (counted_as(one) == counted_as(other)) is same


@pytest.mark.parametrize(
    "password",
    [
        "password1234", "P@ssw0rd2026!", "qwertyuiop12", "woaini1314520", "123456789012", "210987654321",
        "138000000011", "abcdefghijkl", "aaaaaaaaaaaa",
        "abcabcabcabc", "passwordpassword", "!!dragon!!2024", "iloveyou5201314", "meirong888888",
        "qazwsxedc123", "Admin@123456", "changke-2026",
    ],
)  # fmt: skip
def test_what_everybody_tries_first_is_refused_however_it_is_dressed(password: str) -> None:
    with pytest.raises(ValidationError):
        NotGuessable().validate(password)


@pytest.mark.parametrize(
    "password", ["jade-river-26", "first-pass-1", "玉河二十六月亮在山上白", "correct horse battery", "k7#mQ2v!xR9w"]
)
def test_words_that_do_not_belong_together_are_taken(password: str) -> None:
    NotGuessable().validate(password)
