"""The chain's own scores, for machines."""

from collections.abc import Callable

import pytest

from changke.facts.scores.services import define_score
from changke.interfaces.publish import pseudonym, pseudonym_key
from tests.cast import NOW, Cast
from tests.interfaces.api.conftest import Caller


@pytest.fixture
def owner(key_of: Callable[[str], Caller]) -> Caller:
    return key_of("owner")


@pytest.fixture(autouse=True)
def _scores(cast: Cast) -> None:
    define_score(key="churn", kind="chance", labels={"en": "Churn"}, now=NOW)
    define_score(key="secret", kind="number", labels={"en": "Secret"}, roles=["owner"], now=NOW)


def test_values_come_in_one_by_one_and_can_be_taken_back(cast: Cast, owner: Caller) -> None:
    vera = pseudonym(pseudonym_key(), cast.vera.pk)
    sent = {
        "values": [
            {"customer": vera, "score": "churn", "value": 0.73, "scored_on": "2026-02-01"},
            {"customer_id": cast.mo.pk, "score": "churn", "value": 0.5},
            {"customer_id": cast.mo.pk, "score": "unheard", "value": 0.5},
            {"customer_id": 10**9, "score": "churn", "value": 0.5},
            {"customer": "0" * 24, "score": "churn", "value": 0.5},
            {"customer_id": cast.mo.pk, "score": "churn", "value": 5},
            {"customer_id": cast.mo.pk, "score": "churn", "value": 0.5, "scored_on": "2999-01-01"},
            {"customer_id": cast.mo.pk, "score": "churn", "value": 0.6},
            {"score": "churn", "value": 0.6},
            {"customer_id": cast.mo.pk, "score": "churn", "value": True},
        ]
    }
    done = owner.post("/scores/values", sent).json()
    assert [one["status"] for one in done["results"]] == ["created"] * 2 + ["refused"] * 8
    assert [one["error"]["code"] for one in done["results"][2:5]] == ["invalid", "score_of_nobody", "score_of_nobody"]
    assert (done["created"], done["skipped"], done["refused"]) == (2, 0, 8)
    said = owner.get(f"/customers/{cast.vera.pk}/scores").json()
    assert said == [{"key": "churn", "kind": "chance", "value": 7300, "scored_on": "2026-02-01"}]
    again = owner.post("/scores/values", sent).json()
    assert (again["batch"], again["created"], again["skipped"]) == (None, 0, 2)
    assert owner.get(f"/batches/{done['batch']}/undo").json()["goes"][0]["count"] == 2


def test_a_role_sees_and_writes_its_own(cast: Cast, key_of: Callable[[str], Caller]) -> None:
    assert [one["key"] for one in key_of("owner").get("/scores").json()] == ["churn", "secret"]
    assert [one["key"] for one in key_of("manager").get("/scores").json()] == ["churn"]
    sent = {"values": [{"customer_id": cast.vera.pk, "score": "secret", "value": 3}]}
    assert key_of("manager").post("/scores/values", sent).status_code == 403
    assert key_of("hq").post("/scores/values", sent).json()["refused"] == 1
    assert key_of("owner").post("/scores/values", sent).json()["created"] == 1
    assert key_of("manager").get(f"/customers/{cast.vera.pk}/scores").json() == []


def test_a_score_is_defined_once(owner: Caller) -> None:
    body = {"key": "worth", "kind": "money", "labels": {"zh-hans": "价值"}}
    assert owner.post("/scores", body).status_code == 201
    assert owner.post("/scores", body).json()["code"] == "score_key_taken"
    assert owner.post("/scores", {**body, "key": "Worth"}).status_code == 422
