"""Everything a person may see leaves as a file: a table of facts that no set of data tells fails here."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from pytest_django import Settings

from changke.facts.customers.rules import masked, normal_email
from changke.facts.models import Customer
from changke.facts.referrals.services import name_referrer
from changke.facts.scores.models import Score
from changke.foundation.audit.rules import By
from changke.foundation.database.rows_seen import seeing
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope
from changke.foundation.persons.queries import forget_vault
from changke.interfaces.exporters import datasets  # registers them
from changke.interfaces.exporters.shape import DATASETS, Ask
from changke.interfaces.importers.columns import recognise
from changke.profiles.lifecycle.services import refresh_customers
from changke.profiles.segments.services.save import save_segment
from tests.cast import NOW, Cast
from tests.one_of_each import RANK, everything_about
from tests.rows import as_app, roles

__all__ = ["as_app", "datasets", "roles"]

pytestmark = pytest.mark.django_db

TOLD = {
    "facts_advising": ("advisers", "苏晴"),
    "facts_consent": ("consents", "proof 甲"),
    "facts_customer": ("customers", "薇拉"),
    "facts_event": ("events", "topic 甲"),
    "facts_fieldvalue": ("customers", "skin 甲"),
    "facts_formertag": ("former_tags", "former 甲"),
    "facts_identifier": ("names", "CARD-"),
    "facts_kept": ("kept", "kept 甲"),
    "facts_line": ("lines", "line 甲"),
    "facts_mergelink": ("merges", "by_hand"),
    "facts_note": ("notes", "note 甲"),
    "facts_opening": ("openings", "77700"),
    "facts_receipt": ("purchases", "R-甲"),
    "facts_referral": ("referrals", "莹莹"),
    "facts_scorevalue": ("scores", "rank 甲"),
    "facts_tag": ("tags", "rule 甲"),
    "facts_tender": ("tenders", "alipay"),
    "facts_visit": ("visits", "purpose 甲"),
    "facts_waitingreturn": ("waiting_returns", "W-甲"),
}
"""Table -> the set of data that tells it, and what stands in it about 薇拉 (`one_of_each`)."""

NOT_TOLD = {
    "facts_category": "the catalogue: taken out as a sheet by its own page and command (`changke items`)",
    "facts_item": "the catalogue: taken out as a sheet by its own page and command (`changke items`)",
    "facts_chosen": "whom a bulk change means, kept for its undo",
    "facts_duplicate": "what a rule proposes; what somebody decided of it is a merge, or nothing",
    "facts_field": "a setting: the name of a column of the customers",
    "facts_fieldreplaced": "what a load wrote over, kept for its undo",
    "facts_guest": "derived: who has a purchase or a visit in a store",
    "facts_memberlink": "the digest of an address: it says nothing and opens nothing",
    "facts_replaced": "what a load wrote over, kept for its undo",
    "facts_score": "a setting: the name of a column of the customers",
    "facts_taggroup": "a setting: which tags answer one question",
    "facts_tagspell": "derived: the days between which a tag was worn",
    "facts_tagword": "a setting: how long a tag is believed",
}
"""Tables that no set tells, and why."""


@pytest.fixture
def told(cast: Cast, settings: Settings, tmp_path: Path) -> Cast:
    settings.DATA_DIR = tmp_path
    everything_about(cast, cast.vera, cast.jing_an, "甲", by=cast.clerk)
    everything_about(cast, cast.lan, cast.xu_hui, "乙", by=cast.hq)
    for customer, referrer in ((cast.vera, cast.ying), (cast.qiu, cast.lan)):
        name_referrer(customer.pk, referrer.pk, by=By("staff", cast.owner.pk, "林老板"), now=NOW)
    refresh_customers(list(Customer.objects.values_list("pk", flat=True)), now=NOW)
    save_segment(None, name="Everybody", text="purchases >= 0", now=NOW)
    return cast


def rows_of(dataset: str, scope: Scope = CHAIN_WIDE, **asked: Any) -> list[dict[str, Any]]:
    """As the file has them, by column."""
    one, ask = DATASETS[dataset], Ask(scope, **asked)
    with seeing(scope), translation.override("en"):
        keys = [column.key for column in (*one.columns, *one.own(ask))]
        found = [dict(zip(keys, row, strict=True)) for row in one.rows(ask)]
        assert one.count(ask) == len(found), dataset
    return found


def text_of(rows: list[dict[str, Any]]) -> str:
    return "\n".join(" | ".join(str(cell) for cell in row.values()) for row in rows)


def test_every_table_of_facts_is_told_by_a_set_of_data_or_says_why_not() -> None:
    tables = {model._meta.db_table for model in apps.get_app_config("facts").get_models()}
    assert tables - TOLD.keys() - NOT_TOLD.keys() == set(), "a table of facts that no export tells"
    assert (TOLD.keys() | NOT_TOLD.keys()) - tables == set(), "a table that there is not"
    assert TOLD.keys() & NOT_TOLD.keys() == set()


@pytest.mark.parametrize("table", list(TOLD))
def test_what_stands_in_a_table_of_facts_stands_in_its_file(table: str, told: Cast) -> None:
    dataset, text = TOLD[table]
    assert text in text_of(rows_of(dataset, shows_phones=True)), f"{table} is not in the file of {dataset}"


COUNTED_BY_NIGHT = ("together_pairs", "together_starters", "together_seasons", "together_groups")
"""Of these there is nothing here; whose they are is held by the tests of what goes together."""


def seen_by(cast: Cast, how: str) -> Scope:
    """Whose eyes see 薇拉 (of 静安店) and not 岚岚 (of 徐汇店)."""
    here = frozenset({cast.jing_an.pk})
    if how == "assigned":
        Customer.objects.filter(pk=cast.vera.pk).update(adviser=cast.clerk)
        return Scope(frozenset(), own=here, adviser=cast.clerk.pk)
    return Scope(here, visited=here if how == "visited" else frozenset())


@pytest.mark.parametrize("how", ["at home", "visited", "assigned"])
@pytest.mark.parametrize("dataset", [key for key in DATASETS if key not in {"audit", "warnings", *COUNTED_BY_NIGHT}])
def test_a_store_takes_out_its_own_and_nothing_of_another(dataset: str, how: str, told: Cast) -> None:
    rows = rows_of(dataset, seen_by(told, how), shows_phones=True)
    assert rows, "her own are in it"
    assert "乙" not in text_of(rows)
    assert not [row for row in rows if told.lan.pk in (row.get("customer_id"), row.get("referrer_id"))]


def test_what_was_written_under_a_second_record_is_hers(told: Cast) -> None:
    notes = {row["text"]: row["customer_id"] for row in rows_of("notes", Scope(frozenset({told.jing_an.pk})))}
    assert notes["note of the second 甲"] == told.vera.pk


@pytest.mark.parametrize(
    ("shown", "phones", "mail"),
    [(True, ("13800000003", "1390000"), "mail"), (False, ("138****0003", "139****"), "m***@example.com")],
)
def test_second_phones_and_addresses_are_masked_where_phones_are(
    told: Cast, shown: bool, phones: tuple[str, str], mail: str
) -> None:
    row = next(row for row in rows_of("customers", shows_phones=shown) if row["name"] == "薇拉")
    assert row["phone"] == phones[0]
    assert row["other_phones"].startswith(phones[1])
    assert row["email"].startswith(mail)
    assert row["member_card"].startswith("CARD-")
    assert row["wecom_id"].startswith("wm")
    hers = {(one["kind"], one["value"]) for one in rows_of("names", shows_phones=shown)
            if one["customer_id"] == told.vera.pk}  # fmt: skip
    assert hers >= {("email", row["email"]), ("card", row["member_card"]), ("phone", row["other_phones"])}
    if not shown:
        assert "mail0" not in text_of(rows_of("names"))
        assert "1390000" not in text_of(rows_of("names"))


def test_the_profile_leaves_with_her(told: Cast) -> None:
    row = next(row for row in rows_of("customers") if row["name"] == "薇拉")
    kept = ("occupation", "income_band", "city", "interests", "living", "allergies")
    assert [row[name] for name in kept] == ["work 甲", "income 甲", "city 甲", "interest 甲", "living 甲", "allergy 甲"]


@pytest.mark.parametrize("language", ["zh-hans", "en", "zh-hant"])
def test_our_own_import_knows_the_columns_of_the_profile_again(language: str) -> None:
    with translation.override(language):
        words = {str(column.words): column.key for column in DATASETS["customers"].columns}
    found = {words[header] for header in recognise(list(words), "customers").values()}
    assert found >= {
        "customer_id", "name", "phone", "email", "wecom_id", "union_id", "member_card", "gender", "birthday",
        "occupation", "income_band", "city", "interests", "living", "allergies", "home_store", "adviser", "source",
        "known_on", "tags",
    }  # fmt: skip


def test_a_masked_address_is_not_read_back_as_hers() -> None:
    with pytest.raises(ValueError, match="e-mail"):
        normal_email(masked("email", "vera@example.com"))


def test_lines_name_their_item_and_tenders_their_kind(told: Cast) -> None:
    mine = [row for row in rows_of("lines") if row["number"] == "R-甲"]
    assert [(one["item_code"], one["item"], one["item_kind"], one["category"], one["amount"]) for one in mine] == [
        ("F1", "深层补水", "service", "面部护理", 100),
        (None, "line 甲", None, None, 200),
    ]
    (paid,) = [row for row in rows_of("tenders") if row["number"] == "R-甲"]
    assert (paid["tender"], paid["amount"], paid["customer_id"]) == ("alipay", 300, told.vera.pk)


def test_follow_ups_and_changes_of_stages_have_columns_of_their_own(told: Cast) -> None:
    (followup,) = [row for row in rows_of("followups") if row["customer_id"] == told.vera.pk]
    assert (followup["outcome"], followup["because"], followup["staff"]) == ("Lost to us", "Price", "苏晴")
    changes = [row for row in rows_of("stages") if row["customer_id"] == told.vera.pk and row["cause"] == "time"]
    assert [(one["model"], one["before"], one["stage"]) for one in changes] == [("m4", "growth", "silent")]


def test_who_looked_at_a_phone_stands_among_the_events(told: Cast) -> None:
    looks = [row for row in rows_of("events") if row["kind"] == "phone.unmasked"]
    assert {(one["customer_id"], one["staff"]) for one in looks} == {
        (told.vera.pk, "苏晴"), (told.lan.pk, "李运营")
    }  # fmt: skip


def test_who_brought_her_is_named_where_both_are_seen(told: Cast) -> None:
    here = rows_of("referrals", Scope(frozenset({told.jing_an.pk})))
    assert {(one["customer_id"], one["brought"], one["referrer_id"]) for one in here} == {
        (told.vera.pk, 1, told.ying.pk),
        (told.qiu.pk, 1, None),
    }
    assert any(one["referrer_id"] == told.lan.pk for one in rows_of("referrals"))


def test_a_score_that_a_role_does_not_see_is_in_no_file_of_hers(told: Cast) -> None:
    Score.objects.filter(key=RANK).update(roles=["owner"])
    assert rows_of("scores", role="owner")
    assert rows_of("scores", role="manager") == []


@pytest.mark.parametrize("dataset", list(DATASETS))
def test_a_file_asks_the_database_no_more_often_for_more_rows_of_a_part(dataset: str, told: Cast) -> None:
    """So that a million leave in the same memory and time for each: one part, the same questions."""
    few = questions(dataset)
    for number, customer in enumerate((told.ying, told.qiu, told.mo, told.bai)):
        everything_about(told, customer, told.jing_an, f"丙{number}", by=told.clerk)
    assert questions(dataset) == few


def questions(dataset: str) -> int:
    forget_vault()  # the keys are checked every two seconds: here, so that it is counted every time
    with CaptureQueriesContext(connection) as asked:
        rows_of(dataset)
    return len(asked)
