"""The analysts' file: everything to count with, nothing that says who somebody is."""

import datetime as dt
from io import StringIO
from pathlib import Path

import duckdb
import pytest
from django.core.management import CommandError, call_command

from changke.facts.customers.services.tags import add_tag
from changke.foundation.audit.models import AuditLine
from changke.foundation.organisation.queries import the_chain
from changke.foundation.periods import business_date
from changke.interfaces.publish import pseudonym, pseudonym_key
from changke.interfaces.publish_stays import models_told, segments_told, stage_told
from changke.profiles.attributes.catalogue import COLUMNS
from changke.profiles.lifecycle.models import StageModel
from changke.profiles.lifecycle.rules import LANGUAGES
from changke.profiles.lifecycle.services import publish_models, refresh_customers
from changke.profiles.segments.services.save import freeze, save_segment
from tests.cast import NOW, Cast

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
        profiles = {column for table, column in there if table == "profiles"}
        stays_here = {"adviser_id", "need_group_id", "service_preference_id"}
        assert profiles >= set(COLUMNS) - stays_here
        assert not profiles & stays_here, "what a single service tells of her is told to nobody"
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


def test_stays_go_out_of_segments_that_ask_for_nothing_that_the_file_leaves_out(
    cast: Cast, settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    earlier = NOW - dt.timedelta(days=3)
    publish_models(the_chain(), now=earlier)
    refresh_customers([cast.vera.pk], now=earlier)
    add_tag(cast.vera, "敏感肌", now=earlier)
    texts = {
        "often": "visits >= 2 or count(visit in 90 days) >= 2",
        "by_stage": 'stage = "mature" or stage.m4 = "intro"',
        "within": "segment has often",
        "tagged": 'purchases >= 0 and not tag has "敏感肌"',
        "tagged_within": "segment has tagged",
        "facials": 'count(purchase of item "F1" in 90 days) >= 0',
        "consenting": "consent has marketing by sms",
        "in_town": 'city = "上海"',
        "listed": "segment has frozen_often",
    }
    saved = {}
    freeze(name="Frozen often", text="visits >= 2", now=earlier)
    for key, text in texts.items():
        saved[key] = save_segment(None, name=key, text=text, key=key, now=earlier)
    save_segment(None, name="unfollowed", text="visits >= 2", key="unfollowed", is_tracked=False, now=earlier)
    save_segment(saved["often"], name="2026", text="visits >= 1", now=NOW)
    file = tmp_path / "stays.duckdb"
    call_command("publish", str(file), stdout=StringIO(), stderr=StringIO())
    vera = pseudonym(pseudonym_key(), cast.vera.pk)
    with duckdb.connect(str(file), read_only=True) as duck:
        told = dict(duck.execute("SELECT segment, name FROM segments ORDER BY segment").fetchall())
        assert told == {"by_stage": "by_stage", "often": "2026", "within": "within"}
        hers = duck.execute(
            "SELECT segment, entered_on, entered_why, left_on FROM segment_stays WHERE customer = ? ORDER BY segment",
            [vera],
        ).fetchall()
        kinds = dict(
            duck.execute("SELECT column_name, type FROM dictionary WHERE table_name = 'segment_stays'").fetchall()
        )
    began = business_date(earlier, "Asia/Shanghai")
    # She was in "often" before it asked what it asks now: that she is in it is told, and not since when.
    assert hers == [("by_stage", began, "publish", None), ("often", None, None, None), ("within", None, None, None)]
    assert (kinds["entered_on"], kinds["left_on"]) == ("DATE", "DATE")


def test_a_stage_that_asks_for_a_tag_stays_here(
    cast: Cast, settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    settings.DATA_DIR = tmp_path  # type: ignore[attr-defined]
    publish_models(the_chain(), now=NOW)
    model = StageModel.objects.get(key="m4")
    asking = {"stage": "silent", "when": {"tag": "敏感肌"}, "reason": dict.fromkeys(LANGUAGES, "sensitive")}
    model.definition = {**model.definition, "ask": [asking, *model.definition["ask"]]}
    model.published_at, model.version = NOW, model.version + 1
    model.save()
    assert "m4" not in models_told()
    assert not stage_told()
    save_segment(None, name="by stage", text='stage.m4 = "mature"', now=NOW)
    assert segments_told() == []
