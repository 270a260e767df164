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


@pytest.fixture(scope="module")
def macros() -> list[tuple[str, str, Type]]:
    """Every fast expression under a name, made once."""
    found = []
    for currency, known in (("CNY", CNY), ("JPY", YEN)):
        for field, kind in sorted(known.items()):
            if CNY[field].fast != "NULL":
                name = f"fast_{currency}_{field}"
                CONNECTION.execute(f'CREATE OR REPLACE MACRO "{name}"(x) AS {kind.fast}')
                found.append((f"{field} in {currency}", name, kind))
    return found


@settings(max_examples=few(24), deadline=None)
@given(values=st.lists(LIKELY, min_size=40, max_size=120))
def test_the_fast_way_says_what_the_rule_says(macros: list[tuple[str, str, Type]], values: list[str]) -> None:
    """Every field is asked about every value: making values up takes longer than judging them."""
    plain = [value for value in values if value.isprintable()]
    for what, macro, kind in macros:
        asked = f'SELECT x, CAST("{macro}"(x) AS VARCHAR) FROM (SELECT unnest(?) AS x)'
        for value, answer in CONNECTION.execute(asked, [plain]).fetchall():
            if answer is not None:
                assert judge(kind.rule, value) == (answer, None, None), f"{what}: {value!r}"


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
