"""The chain's own fields and consents as columns of a customer file (docs/algorithms/import.md, consent.md)."""

import csv
import datetime as dt
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from changke.facts.consents.models import Consent
from changke.facts.consents.queries import history, may
from changke.facts.consents.rules import Channel, Purpose
from changke.facts.consents.services.state import Proof, state
from changke.facts.customers.models import Customer
from changke.facts.customers.queries import family_of
from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldReplaced
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.services import define, retire, set_values
from changke.foundation.access.models import Role
from changke.foundation.access.services import add_staff
from changke.interfaces.importers import columns, own, pipeline
from changke.interfaces.importers.batches import before_undo
from changke.interfaces.importers.pipeline import Outcome, SourceFile
from changke.interfaces.importers.problems import all_words
from changke.interfaces.importers.undo import leaving, undo
from tests.interfaces.importers.conftest import NOW, Load, counts

DAY = dt.timedelta(days=1)
SMS, CALL = (Purpose.MARKETING, Channel.SMS), (Purpose.MARKETING, Channel.CALL)


@pytest.fixture
def fields(stores: object) -> dict[str, Field]:
    made = [
        define(key="skin", kind="choice", labels={"zh-hans": "肤质", "en": "Skin"}, choices=["干性", "油性"], now=NOW),
        define(key="wedding", kind="date", labels={"zh-hans": "结婚纪念日"}, now=NOW),
        define(key="budget", kind="money", labels={"zh-hans": "预算"}, minimum=10_000, now=NOW),
        define(key="likes", kind="choices", labels={"zh-hans": "喜好"}, choices=["茶", "咖啡", "水"], now=NOW),
        define(key="pet", kind="yes_no", labels={"zh-hans": "有宠物"}, now=NOW),
        define(key="visits_wanted", kind="number", labels={"zh-hans": "期望次数"}, maximum=9, now=NOW),
        define(key="motto", kind="text", labels={"zh-hans": "口头禅"}, maximum=6, now=NOW),
    ]
    return {one.key: one for one in made}


def customer(number: str = "K1") -> Customer:
    return Customer.objects.get(identifiers__value=number)


def held(number: str = "K1") -> dict[str, rules.Plain]:
    return {key: value for key, value in values_of(customer(number).pk, fields_for()).items() if value is not None}


def reasons(outcome: Outcome) -> list[tuple[str, str, str]]:
    with Path(outcome.error_file).open(encoding="utf-8-sig") as stream:
        return [(row["Error column"], row["Error value"], row["Error reason"]) for row in csv.DictReader(stream)]


def says(who: Customer, topic: tuple[Purpose, Channel] = SMS) -> str:
    return may(family_of(who.pk), *topic, at=NOW, on=NOW.date()).reason


# Own fields.


def test_own_fields_are_recognised_by_their_labels_and_typed(load: Load, fields: dict[str, Field]) -> None:
    head = "会员号,姓名,肤质,结婚纪念日,预算,喜好,有宠物,期望次数,口头禅\n"
    outcome = load(
        head + "K1,张三,油性,1965年5月20日,¥1200.50,咖啡、茶,是,3,  慢 慢来 \nK2,李四,,45413,,,否,,无\n",
        "customers",
    )
    assert counts(outcome) == (2, 0, 0, 0)
    assert held() == {
        "skin": "油性", "wedding": "1965-05-20", "budget": 120_050, "likes": ["茶", "咖啡"], "pet": True,
        "visits_wanted": 3, "motto": "慢 慢来",
    }  # fmt: skip
    assert held("K2") == {"wedding": "2024-05-01", "pet": False}
    assert not FieldReplaced.objects.exists()  # what a batch's own customers got is hidden with them


@pytest.mark.parametrize(
    ("heading", "cell", "words"),
    [
        (
            "Skin",
            "中性",
            "“中性” is not one of the choices. Write one of: 干性、油性; or add the choice in the settings.",
        ),
        ("wedding", "tomorrow", "the date is not understood. Write it as 2025-01-03 or 2025-01-03 14:05."),
        ("wedding", "0101-01-01", "the date lies before 1900-01-01 and is probably a misread number. Correct it."),
        ("wedding", "2201-01-01", "the day lies too far away (before 1900 or after 2200). Check the year."),
        ("预算", "很多", "this is not a number. Write digits only, such as 1200."),
        (
            "预算",
            "99.99",
            "the number is below the least allowed, 100.00. Correct it, or widen the field in the settings.",
        ),
        (
            "喜好",
            "茶,酒",
            "“酒” is not one of the choices. Write one of: 茶、咖啡、水; or add the choice in the settings.",
        ),
        ("喜好", "、", "the cell holds nothing that can be read. Fill it or empty it."),
        ("有宠物", "也许", "write yes or no."),
        ("期望次数", "10", "the number is above the most allowed, 9. Correct it, or widen the field in the settings."),
        ("期望次数", "1.5", "there are too many digits after the point. Round the number."),
        ("口头禅", "七个字太长了吧", "the text is too long: at most 6 characters. Shorten it."),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place_and_remedy(
    load: Load, fields: dict[str, Field], heading: str, cell: str, words: str
) -> None:
    outcome = load(f'会员号,{heading}\nK1,"{cell}"\nK2,\n', "customers")
    assert counts(outcome) == (1, 0, 0, 1)
    assert reasons(outcome) == [(heading, cell, words)]


def test_every_reason_of_the_rules_has_its_words() -> None:
    raised = {
        line.split('reason="')[1].split('"')[0] for line in inspect.getsource(rules).splitlines() if 'reason="' in line
    }
    assert raised == set(own.CODES)
    assert set(own.CODES.values()) <= set(all_words())


@pytest.mark.parametrize(
    ("decision", "one", "two"),
    [
        ("update", {"skin": "油性", "motto": "新"}, {"motto": "新"}),
        ("merge", {"skin": "干性", "motto": "新"}, {"motto": "新"}),
        ("skip", {"skin": "干性"}, {}),
        ("refuse", {"skin": "干性"}, {}),
    ],
)
def test_rows_of_known_customers_do_as_was_decided_and_undo_restores(
    load: Load, fields: dict[str, Field], decision: str, one: dict[str, str], two: dict[str, str]
) -> None:
    load("会员号,肤质\nK1,干性\nK2,\n", "customers")
    loaded = load("会员号,肤质,口头禅\nK1,油性,新\nK2,,新\n", "customers", decisions={"": decision})
    assert counts(loaded) == {"skip": (0, 0, 2, 0), "refuse": (0, 0, 0, 2)}.get(decision, (0, 2, 0, 0))
    assert (held(), held("K2")) == (one, two)
    undo(loaded.batch, now=NOW)
    assert (held(), held("K2")) == ({"skin": "干性"}, {})
    assert not FieldReplaced.objects.exists()


def test_what_somebody_wrote_since_stays_and_is_counted(load: Load, fields: dict[str, Field]) -> None:
    load("会员号,肤质,口头禅\nK1,干性,旧\n", "customers")
    loaded = load("会员号,肤质,口头禅\nK1,油性,新\n", "customers")
    set_values(customer().pk, {"motto": "手写"}, now=NOW)
    said = pipeline_undo_parts(loaded.batch)
    assert (said["fields"], said["fields_changed"]) == (1, 1)
    assert leaving(loaded.batch).own == 1
    undo(loaded.batch, now=NOW)
    assert held() == {"skin": "干性", "motto": "手写"}


def pipeline_undo_parts(batch_id: int) -> dict[str, int]:
    found = before_undo(batch_id)
    return {part.code: part.count for part in (*found.goes, *found.stays)}


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_loads_may_be_undone_in_any_order(load: Load, fields: dict[str, Field], order: tuple[int, int]) -> None:
    load("会员号,口头禅\nK1,一\n", "customers")
    batches = [load(f"会员号,口头禅\nK1,{word}\n", "customers").batch for word in ("二", "三")]
    undo(batches[order[0]], now=NOW)
    assert held() == {"motto": "三" if order[0] == 0 else "二"}
    undo(batches[order[1]], now=NOW)
    assert held() == {"motto": "一"}


def test_loading_twice_changes_nothing_and_the_last_row_counts(load: Load, fields: dict[str, Field]) -> None:
    text = "会员号,手机号,口头禅\nK1,13900000001,一\nK1,13900000001,二\n"
    load(text, "customers")
    assert held() == {"motto": "二"}
    assert counts(load(text, "customers")) == (0, 0, 2, 0)
    assert counts(load("会员号,口头禅\nK1,三\n", "customers")) == (0, 1, 0, 0)


def test_who_does_not_see_a_field_loads_nothing_into_it_and_a_retired_one_is_left_out(
    load: Load, fields: dict[str, Field]
) -> None:
    define(key="secret", kind="text", labels={"zh-hans": "机密"}, roles=["owner"], now=NOW)
    ben = add_staff(username="ben", name="Ben", role=Role.MANAGER, now=NOW)
    load("会员号,机密,口头禅\nK1,x,一\n", "customers", created_by=ben)
    assert held() == {"motto": "一"}
    retire(fields["motto"], now=NOW)
    load("会员号,机密,口头禅\nK1,x,二\n", "customers")  # the layout is remembered, the field is not asked any more
    assert Customer.objects.count() == 1
    assert "motto" not in held()


def test_the_layout_is_remembered(load: Load, fields: dict[str, Field], write: Callable[..., Path]) -> None:
    text = "会员号,皮肤\nK1,油性\n"
    load(text, "customers", mapping={"customer_id": "会员号", "own_skin": "皮肤"})
    assert held() == {"skin": "油性"}
    load("会员号,皮肤\nK1,干性\n", "customers")
    assert held() == {"skin": "干性"}


def test_the_check_shows_what_would_change(load: Load, fields: dict[str, Field], write: Callable[..., Path]) -> None:
    load("会员号,肤质,短信营销同意\nK1,干性,是\n", "customers")
    path = write("会员号,肤质,短信营销同意\nK1,油性,否\n", "new.csv")
    batch = pipeline.start([SourceFile(path, path.name)], kind="customers", now=NOW)
    [group] = pipeline.analyse(batch.pk, now=NOW).met
    assert (group.rows, group.same) == (1, 0)
    assert dict(group.samples[0].differences) == {
        "own_skin": ("干性", "油性"), "consent_marketing_sms": (True, False),
    }  # fmt: skip
    assert held() == {"skin": "干性"}


def test_a_label_of_the_chain_wins_over_a_word_of_ours_but_not_over_who_she_is() -> None:
    own_words = {"own_a": frozenset({"来源"}), "own_b": frozenset({"手机号"})}
    found = columns.recognise(("手机号", "来源"), "customers", own_words)
    assert found == {"phone": "手机号", "own_a": "来源"}


# Consents.

SAID = "会员号,手机号,短信营销同意,电话营销同意,同意日期\n"


def test_a_file_tells_consents_with_the_row_as_proof(load: Load) -> None:
    outcome = load(SAID + "K1,13900000001,同意,不同意,\nK2,13900000002,,,\n", "customers", name="members.csv")
    assert counts(outcome) == (2, 0, 0, 0)
    [vera, other] = customer(), customer("K2")
    assert (says(vera), says(vera, CALL), says(other)) == ("given", "withdrawn", "not_asked")
    told = {one.consent.channel: (one.consent.how, one.evidence) for one in history([vera.pk])}
    assert told == {"sms": ("file", "members.csv, row 2"), "call": ("file", "members.csv, row 2")}
    assert counts(load(SAID + "K1,13900000001,同意,不同意,\n", "customers")) == (0, 0, 1, 0)
    assert Consent.objects.count() == 2


def test_a_file_takes_consent_away_but_never_gives_it_back(load: Load) -> None:
    load(SAID + "K1,13900000001,是,,\n", "customers")
    assert counts(load(SAID + "K1,,否,,\n", "customers")) == (0, 1, 0, 0)
    assert says(customer()) == "withdrawn"
    refused = load(SAID + "K1,,是,,\n", "customers", now=NOW + DAY)
    assert counts(refused) == (0, 0, 0, 1)
    [(column, cell, words)] = reasons(refused)
    assert (column, cell) == ("短信营销同意", "是")
    assert words.startswith("she withdrew this consent on 2026-03-04, and a file cannot give it back.")
    later = load(SAID + "K1,,是,,2026-03-05\n", "customers", now=NOW + 3 * DAY)  # nor does a later day in a file
    assert counts(later) == (0, 0, 0, 1)
    assert says(customer()) == "withdrawn"


def test_a_yes_of_an_earlier_day_is_proof_of_that_day_and_no_more(load: Load) -> None:
    load(SAID + "K1,13900000001,,,\n", "customers")
    vera = customer()
    state([vera.pk], [SMS], given=False, proof=Proof("member_page"), source_key="w", happened_at=NOW - DAY,
          time_zone="Asia/Shanghai", now=NOW)  # fmt: skip
    outcome = load(SAID + "K1,,是,,2025-06-01\n", "customers")
    assert counts(outcome) == (0, 1, 0, 0)
    assert [(one.consent.given, one.consent.business_date.isoformat()) for one in history([vera.pk])] == [
        (False, "2026-03-03"), (True, "2025-06-01"),
    ]  # fmt: skip
    assert says(vera) == "withdrawn"
    assert counts(load(SAID + "K1,,是,,2025-06-01\n", "customers")) == (0, 0, 1, 0)  # known, whatever the file


def test_the_same_day_counts_against_us(load: Load) -> None:
    load(SAID + "K1,13900000001,,,\n", "customers")
    vera = customer()
    state([vera.pk], [SMS], given=True, proof=Proof("form"), source_key="y", happened_at=NOW - DAY,
          time_zone="Asia/Shanghai", now=NOW)  # fmt: skip
    load(SAID + "K1,,否,,2026-03-03\n", "customers")  # at some hour of the day on which she said yes
    assert says(vera) == "withdrawn"


def test_rows_that_contradict_each_other_are_a_no(load: Load) -> None:
    load(SAID + "K1,13900000001,是,,\nK1,13900000001,否,,\nK1,13900000001,是,,\n", "customers")
    assert says(customer()) == "withdrawn"
    assert Consent.objects.count() == 1


def test_what_says_neither_is_refused(load: Load) -> None:
    outcome = load(SAID + "K1,13900000001,看情况,,\nK2,13900000002,,,2030-01-01\n", "customers")
    assert counts(outcome) == (0, 0, 0, 2)
    assert [words.split(".")[0] for _, _, words in reasons(outcome)] == [
        "it is not clear whether she agreed", "the date lies in the future",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "sms", "call"),
    [("update", "withdrawn", "given"), ("merge", "given", "given"), ("skip", "given", "not_asked")],
)
def test_known_customers_say_as_was_decided_and_undo_takes_it_back(
    load: Load, decision: str, sms: str, call: str
) -> None:
    load(SAID + "K1,13900000001,是,,\n", "customers")
    loaded = load(SAID + "K1,,否,是,\n", "customers", decisions={"": decision})
    assert (says(customer()), says(customer(), CALL)) == (sms, call)
    assert leaving(loaded.batch).consents == {"update": 2, "merge": 1, "skip": 0}[decision]
    undo(loaded.batch, now=NOW)
    assert (says(customer()), says(customer(), CALL)) == ("given", "not_asked")
    assert Consent.objects.filter(batch_id=loaded.batch, withdrawn_by=None).count() == 0


def test_no_file_lifts_the_mark_of_the_suppression_list(load: Load) -> None:
    load(SAID + "K1,13900000001,,,\n", "customers")
    customer().identifiers.filter(kind="phone").update(suppressed=True)
    load(SAID + "K1,,是,,\n", "customers")
    assert says(customer()) == "suppressed"


def test_who_consented_elsewhere_stays_when_the_batch_that_made_her_goes(load: Load) -> None:
    made = load(SAID + "K1,13900000001,,,\nK2,13900000002,,,\n", "customers")
    load(SAID + "K1,,是,,\n", "customers")
    assert leaving(made.batch).customers == 1
    undo(made.batch, now=NOW)
    assert [customer().is_active, customer("K2").is_active] == [True, False]


def test_every_topic_has_a_heading_in_both_scripts() -> None:
    for column in own.TOPICS:
        words = columns.synonyms("customers", column)
        assert any(word.isascii() for word in words)
        assert any(not word.isascii() for word in words)
        assert columns.recognise((words[0],), "customers") == {column: words[0]}
