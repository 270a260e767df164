"""The fast expressions agree with the rules wherever they dare to answer."""

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from changke.interfaces.importers.clean import Reading, Type, judge, types
from tests.examples import few

CNY = types(Reading())
YEN = types(Reading(currency="JPY", region="JP"))

CONNECTION = duckdb.connect()

LIKELY = st.one_of(
    st.from_regex(r"\A-?\d{1,10}(\.\d{0,3})?\Z"),
    st.from_regex(r"\A\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2})?)?\Z"),
    st.from_regex(r"\A1\d{10}\Z"),
    st.from_regex(r"\A\d{1,2}:\d{2}:\d{2}\Z"),
    st.from_regex(r"\A[A-Za-z0-9-]{1,20}\Z"),
    st.text(max_size=12),
)


@pytest.mark.parametrize("known", [CNY, YEN], ids=["CNY", "JPY"])
@pytest.mark.parametrize("field", sorted(field for field, kind in CNY.items() if kind.fast != "NULL"))
@settings(max_examples=few(6), deadline=None)
@given(values=st.lists(LIKELY, min_size=40, max_size=120))
def test_the_fast_way_says_what_the_rule_says(known: dict[str, Type], field: str, values: list[str]) -> None:
    kind = known[field]
    plain = [value for value in values if value.isprintable()]
    CONNECTION.execute(f"CREATE OR REPLACE MACRO fast(x) AS {kind.fast}")
    fast = CONNECTION.execute("SELECT x, CAST(fast(x) AS VARCHAR) FROM (SELECT unnest(?) AS x)", [plain]).fetchall()
    for value, answer in fast:
        if answer is not None:
            assert judge(kind.rule, value) == (answer, None, None), value


@pytest.mark.parametrize("value", ["0E0", "-1e10", "5E-3"])
def test_a_rounded_number_of_letters_and_digits_alone_is_left_to_the_rule(value: str) -> None:
    """`5E10` looks like a number of a customer and has lost its digits."""
    CONNECTION.execute(f"CREATE OR REPLACE MACRO fast(x) AS {CNY['customer_id'].fast}")
    assert CONNECTION.execute("SELECT fast(?)", [value]).fetchone() == (None,)
    assert judge(CNY["customer_id"].rule, value)[1] == "number_rounded"


def test_the_fast_way_answers_for_clean_values() -> None:
    """Were it never to answer, the test above would prove nothing."""
    for field, value in (
        ("phone", "13800138000"),
        ("amount", "12.50"),
        ("happened", "2025-01-03 14:05"),
        ("quantity", "2"),
    ):
        row = CONNECTION.execute(
            f"SELECT {CNY[field].fast.replace('(x', '(v')} FROM (SELECT ? AS x, x AS v)", [value]
        ).fetchone()
        assert row is not None
        assert row[0] is not None
