"""Who gets what: the same in Python and on both databases, in fair shares, and for ever."""

import itertools
from collections import Counter

import duckdb
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.engine.experiments import Experiment, Variant, WeightsDoNotSum, sample_ratio
from changke.engine.experiments.assignment import NotAName

THIRDS = Experiment("spring", (Variant("control", 2_000), Variant("sms", 3_000), Variant("call", 5_000)))
PART = Experiment("spring", THIRDS.variants, coverage_bp=3_000)
CUSTOMERS = 20_000


@pytest.mark.parametrize("experiment", [THIRDS, PART])
@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_a_database_assigns_as_python_does(engine: str, experiment: Experiment, empty_database: str) -> None:
    expression = experiment.sql(engine=engine, customer_id="who.customer_id")
    query = f"SELECT customer_id, {expression} FROM (SELECT * FROM generate_series(1, 3000) AS s(customer_id)) AS who"
    if engine == "duckdb":
        rows = duckdb.connect().execute(query).fetchall()
    else:
        with psycopg.connect(empty_database) as connection:
            rows = connection.execute(query).fetchall()  # type: ignore[arg-type]
    assert len(rows) == 3000
    assert all(variant == experiment.variant_of(customer) for customer, variant in rows)


@pytest.mark.parametrize("engine", ["duckdb", "postgres"])
def test_ids_of_text_are_assigned_alike_and_nobody_is_in_no_variant(engine: str, empty_database: str) -> None:
    ids = ["a-17", "客户-8", "O'Neill", ""]
    values = ", ".join("('{}')".format(one.replace("'", "''")) for one in ids)
    query = f"SELECT customer_id, {THIRDS.sql(engine=engine)} FROM (VALUES {values}, (NULL)) AS who(customer_id)"
    if engine == "duckdb":
        rows = duckdb.connect().execute(query).fetchall()
    else:
        with psycopg.connect(empty_database) as connection:
            rows = connection.execute(query).fetchall()  # type: ignore[arg-type]
    assert dict(rows) == {**{one: THIRDS.variant_of(one) for one in ids}, None: None}


def test_the_assignment_of_today_is_the_assignment_of_ever() -> None:
    """Written down once: a change of the hash would reshuffle every experiment that runs."""
    assert [THIRDS.variant_of(customer) for customer in range(1, 9)] == FIRST_EIGHT


FIRST_EIGHT = ["call", "call", "sms", "call", "sms", "control", "sms", "call"]


@given(
    key=st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,20}", fullmatch=True),
    cuts=st.lists(st.integers(500, 9_500), max_size=3, unique=True),
)
@settings(max_examples=40, deadline=None)
def test_shares_are_those_asked_for(key: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), 10_000]
    weights = [after - before for before, after in itertools.pairwise(bounds)]
    experiment = Experiment(key, tuple(Variant(f"v{place}", weight) for place, weight in enumerate(weights)))
    seen = Counter(experiment.variant_of(customer) for customer in range(2_000))
    counts = [seen[f"v{place}"] for place in range(len(weights))]
    assert sum(counts) == 2_000
    assert sample_ratio(counts, weights).p_value > 1e-6


def test_widening_an_experiment_moves_nobody_between_variants() -> None:
    for customer in range(CUSTOMERS):
        before = PART.variant_of(customer)
        assert before is None or before == THIRDS.variant_of(customer)
    taking_part = sum(PART.variant_of(customer) is not None for customer in range(CUSTOMERS))
    assert taking_part == pytest.approx(0.3 * CUSTOMERS, rel=0.05)


def test_whoever_was_control_once_is_not_control_for_ever() -> None:
    next_one = Experiment("summer", THIRDS.variants)
    first = [customer for customer in range(CUSTOMERS) if THIRDS.variant_of(customer) == "control"]
    again = Counter(next_one.variant_of(customer) for customer in first)
    counts = [again[variant.key] for variant in THIRDS.variants]
    assert not sample_ratio(counts, [2_000, 3_000, 5_000]).is_suspect


@pytest.mark.parametrize("weights", [(5_000, 4_999), (10_001, -1), ()])
def test_weights_sum_to_all(weights: tuple[int, ...]) -> None:
    with pytest.raises((WeightsDoNotSum, ValueError)):
        Experiment("x", tuple(Variant(f"v{place}", weight) for place, weight in enumerate(weights)))


@pytest.mark.parametrize("key", ["", "Spring", "a b", "a'b", "a/b", "x" * 101])
def test_a_key_is_a_plain_name(key: str) -> None:
    with pytest.raises(NotAName):
        Experiment(key, THIRDS.variants)


def test_a_column_is_a_plain_name_too() -> None:
    with pytest.raises(NotAName):
        THIRDS.sql(engine="duckdb", customer_id="1); DROP TABLE x; --")


def test_two_variants_have_two_keys() -> None:
    with pytest.raises(NotAName):
        Experiment("x", (Variant("a", 5_000), Variant("a", 5_000)))
