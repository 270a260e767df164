"""Columns as PostgreSQL reads arrays: what goes in comes out, whatever it is."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.foundation.database.rows import array

pytestmark = pytest.mark.django_db

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))
EARLIEST = dt.datetime(1900, 1, 1)  # noqa: DTZ001 -- hypothesis asks for it without
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def back(values: list[Any], kind: str) -> list[Any]:
    with connection.cursor() as sql:
        sql.execute(f"SELECT %s::{kind}[]", [array(values)])
        (found,) = sql.fetchone()
    return list(found)


@QUICK
@given(
    values=st.lists(
        TEXTS | st.none() | st.sampled_from(["", "NULL", "null", '"', "\\", '\\\\"', "{,}", " a ", "'", "%s"])
    )
)
def test_any_text(values: list[str | None]) -> None:
    assert back(values, "text") == values


@QUICK
@given(values=st.lists(st.integers(-(2**63), 2**63 - 1) | st.none()))
def test_any_whole_number(values: list[int | None]) -> None:
    assert back(values, "bigint") == values


@QUICK
@given(values=st.lists(st.datetimes(timezones=st.just(dt.UTC), min_value=EARLIEST) | st.none()))
def test_any_moment(values: list[dt.datetime | None]) -> None:
    assert back(values, "timestamptz") == values


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([dt.date(2026, 3, 1), None], "date"),
        ([True, False, None], "boolean"),
        ([b"\x00\xff", None], "bytea"),
        ([None, None], "bigint"),
        ([], "text"),
    ],
)
def test_other_columns(values: list[Any], kind: str) -> None:
    assert [bytes(one) if isinstance(one, memoryview) else one for one in back(values, kind)] == values
