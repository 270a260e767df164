"""The table of docs/algorithms/hand-over.md."""

import random

import pytest

from changke.actions.tasks.rules import Hers, How, Receiver, shares

A, B, C = 1, 2, 3
X, Y, Z = 7, 8, 9


def hers(customer: int, money: int, store: int | None = A, served: int | None = None) -> Hers:
    return Hers(customer, store, money, served)


def of(staff: int, *stores: int) -> Receiver:
    return Receiver(staff, frozenset(stores))


WHOLE_CHAIN = Receiver(Y, None)


@pytest.mark.parametrize(
    ("customers", "receivers", "how", "given", "left"),
    [
        ([hers(1, 900), hers(2, 500), hers(3, 400)], [of(X, A), of(Y, A)], How.EVEN, {X: [1], Y: [2, 3]}, []),
        ([hers(1, 900), hers(2, 500, B)], [of(X, A), of(Y, B)], How.EVEN, {X: [1], Y: [2]}, []),
        ([hers(1, 900, C)], [of(X, A)], How.EVEN, {X: []}, [1]),
        ([hers(1, 0), hers(2, 0)], [of(X, A), of(Y, A)], How.EVEN, {X: [1], Y: [2]}, []),
        (
            [hers(1, 900, served=Y), hers(2, 500), hers(3, 100)],
            [of(X, A), of(Y, A)],
            How.SERVED,
            {X: [2, 3], Y: [1]},
            [],
        ),
        ([hers(1, 900, served=Z)], [of(X, A)], How.SERVED, {X: [1]}, []),
        ([hers(1, 900, None)], [of(X, A), WHOLE_CHAIN], How.EVEN, {X: [], Y: [1]}, []),
        ([], [of(X, A)], How.EVEN, {X: []}, []),
    ],
)
def test_who_gets_whom(
    customers: list[Hers], receivers: list[Receiver], how: How, given: dict[int, list[int]], left: list[int]
) -> None:
    found, stay = shares(customers, receivers, how)
    assert {one.staff_id: one.customer_ids for one in found} == given
    assert [one.customer_id for one in stay] == left


@pytest.mark.parametrize("seed", range(5))
def test_the_order_of_the_rows_changes_nothing_and_nobody_is_lost(seed: int) -> None:
    dice = random.Random(seed)
    customers = [hers(n, dice.choice([0, 0, 100, 5_000]), dice.choice([A, B, None])) for n in range(60)]
    receivers = [of(X, A), of(Y, A, B), Receiver(Z, None)]
    found, left = shares(customers, receivers, How.EVEN)
    mixed = sorted(customers, key=lambda _: dice.random())
    assert shares(mixed, receivers, How.EVEN) == (found, left)
    everybody = [pk for one in found for pk in one.customer_ids] + [one.customer_id for one in left]
    assert sorted(everybody) == list(range(60))
    assert sum(one.at_risk_minor for one in found) == sum(one.at_risk_minor for one in customers)
