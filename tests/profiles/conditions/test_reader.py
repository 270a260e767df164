"""A tree that means nothing is refused, with the path to the spot."""

import datetime
import json
from typing import Any

import pytest

from changke.engine.definitions import Composer, Registry, values_of
from changke.profiles.conditions import Beyond, ConditionError, read_condition
from changke.profiles.conditions.reader import DEEPEST, LARGEST, LONGEST

CASH = {"attribute": "cash", "op": ">", "value": 1}
LATE = {"attribute": "silent_days", "op": ">", "value": 60}


def nested(levels: int) -> dict[str, Any]:
    tree: dict[str, Any] = CASH
    for _ in range(levels):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        (None, "condition: expected attribute, op and value"),
        ([], "condition: expected attribute, op and value"),
        ({}, "condition: expected attribute, op and value"),
        ({"or": []}, "condition: expected attribute, op and value"),
        ({"not": {"known": "tier"}, "and": []}, "condition: expected attribute, op and value"),
        ({"and": [CASH], "or": [CASH]}, "condition: expected attribute, op and value"),
        ({**CASH, "unit": "fen"}, "condition: expected attribute, op and value"),
        ({"attribute": "nope", "op": "=", "value": 1}, "condition: unknown attribute 'nope'"),
        ({"or": [CASH, {"not": {"known": "nope"}}]}, "condition.or[1].not: unknown attribute 'nope'"),
        ({"and": [{**CASH, "value": None}]}, "condition.and[0].value: cash is money, not None"),
        ({**CASH, "value": 2.5}, "condition.value: cash is money, not 2.5"),
        ({**CASH, "value": True}, "condition.value: cash is money, not True"),
        ({**CASH, "value": "1"}, "condition.value: cash is money, not '1'"),
        ({**CASH, "value": 2**63}, "condition.value: cash is money, not 9223372036854775808"),
        ({**CASH, "value": {"setting": "nope"}}, "condition.value: unknown setting 'nope'"),
        ({**CASH, "value": {"setting": "greeting"}}, "condition.value: cash is money, not 'hello'"),
        ({**CASH, "op": "; DROP"}, "condition: cash is money and cannot be asked '; DROP'"),
        ({"attribute": "tier", "op": "<", "value": "gold"}, "condition: tier is text and cannot be asked '<'"),
        ({"attribute": "tier", "op": "=", "value": "a\x00b"}, "condition.value: a text cannot hold"),
        ({"attribute": "last_seen", "op": "<", "value": "soon"}, "condition.value: last_seen is date, not 'soon'"),
        ({"attribute": "tier", "op": "in", "value": []}, "condition.value: 'in' needs a list with something in it"),
        ({"attribute": "tier", "op": "in", "value": "gold"}, "condition.value: 'in' needs a list"),
        ({"attribute": "tier", "op": "in", "value": ["a", 3]}, "condition.value[1]: tier is text, not 3"),
        ({"attribute": "cash", "op": "in", "value": list(range(LONGEST + 1))}, "condition.value: a list of more than"),
        (nested(DEEPEST + 1), f"condition{'.not' * (DEEPEST + 1)}: nested deeper than {DEEPEST}"),
        ({"and": [CASH] * (LARGEST + 1)}, f"condition.and[{LARGEST}]: more than {LARGEST} questions"),
    ],
)
def test_a_tree_that_means_nothing_is_refused_with_its_path(registry: Registry, tree: object, problem: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        read_condition(tree, registry.attributes, settings={"greeting": "hello"})
    assert str(refusal.value).startswith(problem)


@pytest.mark.parametrize("tree", [nested(DEEPEST), {"and": [CASH] * LARGEST}], ids=["deepest", "largest"])
def test_the_limits_themselves_are_allowed(registry: Registry, tree: object) -> None:
    assert read_condition(json.loads(json.dumps(tree)), registry.attributes).attributes == ("cash",)


def test_a_value_may_be_a_setting_of_the_chain(registry: Registry) -> None:
    tree = {"attribute": "silent_days", "op": ">=", "value": {"setting": "lost_after_days"}}
    condition = read_condition(tree, registry.attributes, settings={"lost_after_days": 180})
    assert condition.values == {"where_1": 180}
    assert condition.holds({"silent_days": 180})
    assert not condition.holds({"silent_days": 179})


def test_a_day_is_read_from_its_iso_form(registry: Registry) -> None:
    tree = {"attribute": "last_seen", "op": "=", "value": "2026-02-28"}
    assert read_condition(tree, registry.attributes).values == {"where_1": datetime.date(2026, 2, 28)}


@pytest.mark.parametrize(
    ("tree", "fits"),
    [
        (LATE, False),
        ({**LATE, "op": "!="}, False),  # unknown satisfies nothing
        ({"not": LATE}, True),  # so "not silent" includes the unknown
        ({"not": {"not": LATE}}, False),
        ({"known": "silent_days"}, False),
        ({"not": {"known": "silent_days"}}, True),
        ({"or": [LATE, {"not": {"known": "silent_days"}}]}, True),
        ({"and": [{"not": LATE}, LATE]}, False),
        ({"attribute": "silent_days", "op": "in", "value": [1, 2]}, False),
    ],
)
def test_unknown_satisfies_nothing(registry: Registry, tree: object, fits: bool) -> None:
    assert read_condition(tree, registry.attributes).holds({"silent_days": None}) is fits


def test_another_value_is_the_same_statement(registry: Registry) -> None:
    composer = Composer(registry)
    one, two = (read_condition({**CASH, "value": n}, registry.attributes) for n in (1, 2))
    first = composer.statement(["cash"], engine="duckdb", where=one)
    assert first is composer.statement(["cash"], engine="duckdb", where=two)
    assert values_of(one) != values_of(two)


@pytest.mark.parametrize(
    ("tree", "problem"),
    [
        ({"tag": ""}, "condition.tag: a name has 1 to"),
        ({"tag": "a", "more": 1}, "condition: expected tag, consent"),
        ({"consent": "marketing", "channel": 3}, "condition.consent: unknown consent"),
        ({"measure": "count", "deed": {"kind": "buy"}, "op": ">", "value": 1}, "condition.deed: expected a kind"),
        ({"measure": "sum", "deed": {"kind": "visit"}, "op": ">", "value": 1}, "condition.deed: visit has no amount"),
        ({"measure": "count", "deed": {"kind": "visit"}, "days": 0, "op": ">", "value": 1}, "condition.days: 1 to"),
        ({"measure": "count", "deed": {"kind": "visit"}, "op": "in", "value": [1]}, "condition: a count cannot be"),
        ({"measure": "count", "deed": {"kind": "visit"}, "op": "=", "value": True}, "condition.value: a count is a"),
        ({"measure": "count", "deed": {"kind": "visit"}, "days": 1, "since": "visit", "op": "=", "value": 1},
         "condition: a window has days"),
        ({"first": {"kind": "visit"}, "then": {"kind": "event"}, "within": 3}, "condition.then: expected a kind"),
        ({"measure": "count", "deed": {"kind": "event", "of": "complant"}, "op": "=", "value": 0},
         "condition.deed.of: unknown kind of event 'complant'"),
        ({"segment": "nobody"}, "condition.segment: unknown segment 'nobody'"),
    ],
)  # fmt: skip
def test_a_question_beyond_attributes_is_refused_with_its_path(registry: Registry, tree: object, problem: str) -> None:
    with pytest.raises(ConditionError) as refusal:
        read_condition(tree, registry.attributes, beyond=Beyond(segments=["vip"], events=["complaint.received"]))
    assert str(refusal.value).startswith(problem)
    with pytest.raises(ConditionError, match="only attributes"):
        read_condition({"tag": "vip"}, registry.attributes)
