"""Functions of ours in the database: whoever owns it may write them, a superuser or not."""

import pytest
from django.db import connection

pytestmark = pytest.mark.django_db


def test_no_function_brings_a_setting_that_only_a_superuser_may_write() -> None:
    """`CREATE FUNCTION ... SET changke.stores` is a superuser's to write: an installation with its own owner would not
    come up. The tests migrate as a superuser and would not see it. Ways of the planner are everybody's to set."""
    with connection.cursor() as sql:
        sql.execute(
            "SELECT proname, setting FROM pg_proc, unnest(proconfig) AS setting"
            " WHERE pronamespace = 'public'::regnamespace AND setting NOT LIKE 'enable_%'"
        )
        assert sql.fetchall() == []
        sql.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'changke%'")
        assert sql.fetchone()[0] >= 2
