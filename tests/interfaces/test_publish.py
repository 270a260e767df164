"""The analysts' file: everything to count with, nothing that says who somebody is."""

from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command

from changke.foundation.audit.models import AuditLine
from changke.interfaces.publish import pseudonym, pseudonym_key
from changke.profiles.attributes.catalogue import COLUMNS
from tests.cast import Cast

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_file_of_pseudonyms_with_its_dictionary(
    cast: Cast, settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    call_command("value", "fit", stdout=StringIO())
    file = tmp_path / "it's mine.duckdb"
    call_command("publish", str(file), stdout=StringIO(), stderr=StringIO())
    vera = pseudonym(pseudonym_key(), cast.vera.pk)
    with duckdb.connect(str(file), read_only=True) as duck:

        def rows(query: str) -> list[tuple[object, ...]]:
            return duck.execute(query).fetchall()

        assert rows("SELECT COUNT(*) FROM customers") == [(6,)]
        assert rows(f"SELECT COUNT(*), SUM(cash_minor) FROM purchases WHERE customer = '{vera}'") == [(12, 12 * 88_800)]
        assert rows(f"SELECT p_active_bp > 0 FROM predictions WHERE customer = '{vera}'") == [(True,)]
        assert rows("SELECT said FROM about WHERE name = 'currency'") == [("CNY",)]
        told = {(table, column) for table, column in rows("SELECT table_name, column_name FROM dictionary")}
        there = {
            (table, column)
            for table, column in rows("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal")
            if table not in {"dictionary", "about"}
        }
        assert told == there
        assert {column for table, column in there if table == "profiles"} >= set(COLUMNS) - {"adviser_id"}
        everything = "\n".join(
            str(row) for (table,) in rows("SELECT table_name FROM duckdb_tables()") for row in rows(f"FROM {table}")
        )
    for secret in ("薇拉", "13800000003", "莫愁", "路过"):
        assert secret not in everything
    ids = {one.pk for one in (cast.vera, cast.mo, cast.lan)}
    assert not {column for _, column in there if column in {"customer_id", "adviser_id", "receipt_id", "id"}}
    assert all(f"'{pk}'" not in everything for pk in ids)
    assert AuditLine.objects.filter(action="data.published").count() == 1
    assert file.stat().st_mode & 0o222 == 0
    with pytest.raises(CommandError, match="already"):
        call_command("publish", str(file), stdout=StringIO(), stderr=StringIO())
    with pytest.raises(CommandError, match="no folder"):
        call_command("publish", str(tmp_path / "nowhere" / "x.duckdb"), stdout=StringIO(), stderr=StringIO())
    assert not list(tmp_path.glob(".*duckdb*")), "nothing half-written stays"


def test_a_pseudonym_depends_on_the_key_and_on_the_number(cast: Cast) -> None:
    key = pseudonym_key()
    assert pseudonym(key, 1) == pseudonym(key, 1)
    assert len({pseudonym(key, 1), pseudonym(key, 2), pseudonym(key, -1), pseudonym(b"other", 1)}) == 4
