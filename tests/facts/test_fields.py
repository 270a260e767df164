"""Fields that a chain adds: typed, refused with what would be right, kept when they are retired."""

import pytest

from changke.facts.fields import rules
from changke.facts.fields.models import Field, FieldValue
from changke.facts.fields.queries import fields_for, values_of
from changke.facts.fields.rules import Rule, Unfit
from changke.facts.fields.services import FieldKeyTaken, change_field, define, retire, set_values
from changke.facts.fields.services.define import ChoiceInUse
from changke.foundation.audit.models import AuditLine
from changke.foundation.audit.queries import opened
from changke.foundation.audit.rules import HOUSE, MASK
from changke.foundation.audit.services import restore
from changke.foundation.errors import Invalid, NotFound
from tests.cast import NOW, Cast

SKIN = ("干性", "油性", "混合")


@pytest.mark.parametrize(
    ("rule", "typed", "value"),
    [
        (Rule("text"), "  喜欢 安静 ", "喜欢 安静"),
        (Rule("text"), "   ", None),
        (Rule("number"), "1,200", 1200),
        (Rule("money"), "¥12.5", 1250),
        (Rule("date"), "2026/3/01".replace("/3/", "/03/"), "2026-03-01"),
        (Rule("choice", SKIN), "油性", "油性"),
        (Rule("choices", SKIN), "混合、干性，混合", ["干性", "混合"]),  # in the order of the definition, each once
        (Rule("yes_no"), "是", True),
        (Rule("yes_no"), "no", False),
    ],
)
def test_what_somebody_types_becomes_a_typed_value(rule: Rule, typed: str, value: object) -> None:
    assert rules.fit(rule, rules.read(rule, typed)) == value


@pytest.mark.parametrize(
    ("rule", "typed", "reason"),
    [
        (Rule("text", maximum=3), "四个字符", "at most"),
        (Rule("text", minimum=3), "二字", "at least"),
        (Rule("text", required=True), " ", "required"),
        (Rule("number"), "many", "not a number"),
        (Rule("number"), "1.5", "after the point"),
        (Rule("number"), "1e20", "too large"),
        (Rule("number"), "1e400", "not a number"),
        (Rule("number"), "1e9999999", "not a number"),
        (Rule("number", minimum=1), "0", "at least 1"),
        (Rule("money", maximum=1000), "10.01", "at most 1000"),
        (Rule("date"), "tomorrow", "not a day"),
        (Rule("date"), "0101-01-01", "too far"),
        (Rule("choice", SKIN), "中性", "not one of"),
        (Rule("choices", SKIN), "干性,中性", "not one of"),
        (Rule("yes_no"), "maybe", "yes or no"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_would(rule: Rule, typed: str, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        rules.fit(rule, rules.read(rule, typed))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", 1),
        ("number", "1"),
        ("number", True),
        ("yes_no", 1),
        ("date", 20260301),
        ("choices", "干性"),
        ("choice", 1),
    ],
)
def test_a_value_of_another_kind_is_refused(kind: str, value: object) -> None:
    with pytest.raises(Unfit):
        rules.fit(Rule(kind, SKIN), value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", "a"), ("number", 3), ("money", -5), ("date", "2026-03-01"), ("choices", ["a", "b"]), ("yes_no", False)],
)
def test_a_row_gives_back_what_was_stored(kind: str, value: rules.Plain) -> None:
    assert rules.plain(kind, *rules.stored(kind, value)) == value


@pytest.fixture
def skin(cast: Cast) -> Field:
    return define(key="skin", kind="choice", labels={"zh-hans": "肤质"}, choices=SKIN, now=NOW)


def test_a_field_is_filled_changed_and_emptied(cast: Cast, skin: Field) -> None:
    define(key="wedding", kind="date", labels={"zh-hans": "结婚纪念日"}, now=NOW)
    set_values(cast.mo.pk, {"skin": "油性", "wedding": "2019-05-20"}, now=NOW)
    set_values(cast.mo.pk, {"skin": None}, now=NOW)
    assert values_of(cast.mo.pk, fields_for()) == {"skin": None, "wedding": "2019-05-20"}
    assert FieldValue.objects.filter(customer=cast.mo).count() == 2, "emptied, not deleted: the mirror has to see it"


def test_one_value_that_does_not_fit_keeps_all_out(cast: Cast, skin: Field) -> None:
    define(key="children", kind="number", labels={"en": "Children"}, maximum=12, now=NOW)
    with pytest.raises(Invalid) as refused:
        set_values(cast.mo.pk, {"skin": "油性", "children": 20}, now=NOW)
    assert refused.value.field == "children"
    assert values_of(cast.mo.pk, fields_for()) == {"skin": None, "children": None}
    with pytest.raises(Invalid, match="not a field"):
        set_values(cast.mo.pk, {"shoe": 38}, now=NOW)
    with pytest.raises(NotFound):
        set_values(999_999, {"skin": "油性"}, now=NOW)


def test_who_changed_it_is_written_down_and_can_be_put_back(cast: Cast, skin: Field) -> None:
    set_values(cast.mo.pk, {"skin": "油性"}, now=NOW)
    set_values(cast.mo.pk, {"skin": "干性"}, now=NOW)
    line = AuditLine.objects.latest("id")
    assert (line.before, line.after, line.customer_id) == ({"skin": MASK}, {"skin": MASK}, cast.mo.pk)
    assert [(one.before, one.after) for one in opened([line])] == [({"skin": "油性"}, {"skin": "干性"})]
    restore(line, by=HOUSE, now=NOW)
    assert values_of(cast.mo.pk, [skin]) == {"skin": "油性"}
    count = AuditLine.objects.count()
    set_values(cast.mo.pk, {"skin": "油性"}, now=NOW)
    assert AuditLine.objects.count() == count, "the same again is no change"


def test_a_retired_field_keeps_its_values(cast: Cast, skin: Field) -> None:
    set_values(cast.mo.pk, {"skin": "油性"}, now=NOW)
    retire(skin, now=NOW)
    assert fields_for() == []
    with pytest.raises(Invalid):
        set_values(cast.mo.pk, {"skin": "干性"}, now=NOW)
    retire(skin, back=True, now=NOW)
    assert values_of(cast.mo.pk, fields_for()) == {"skin": "油性"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "Skin"},
        {"key": "9lives"},
        {"kind": "colour"},
        {"labels": {"en": "  "}},
        {"kind": "choice", "choices": []},
        {"kind": "choice", "choices": ["a", "a"]},
        {"kind": "choice", "choices": ["a|b"]},
        {"kind": "number", "minimum": 5, "maximum": 1},
    ],
)
def test_a_definition_that_means_nothing_is_refused(cast: Cast, wrong: dict[str, object]) -> None:
    right = {"key": "note", "kind": "text", "labels": {"en": "Note"}}
    with pytest.raises(Invalid):
        define(**{**right, **wrong}, now=NOW)  # type: ignore[arg-type]


def test_two_fields_of_one_key_are_refused(cast: Cast, skin: Field) -> None:
    with pytest.raises(FieldKeyTaken):
        define(key="skin", kind="text", labels={"en": "Skin"}, now=NOW)


def test_a_choice_somebody_has_cannot_go(cast: Cast, skin: Field) -> None:
    set_values(cast.mo.pk, {"skin": "油性"}, now=NOW)
    with pytest.raises(ChoiceInUse):
        change_field(skin, {"choices": ["干性"]}, now=NOW)
    change_field(skin, {"choices": ["油性", "敏感"]}, now=NOW)
    with pytest.raises(Invalid):
        change_field(skin, {"kind": "text"}, now=NOW)


def test_a_field_may_be_for_some_roles_only(cast: Cast, skin: Field) -> None:
    change_field(skin, {"roles": ["owner", "manager"]}, now=NOW)
    assert [[field.key for field in fields_for(role)] for role in ("owner", "staff")] == [["skin"], []]
