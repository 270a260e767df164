"""Whatever is sent, the answer is an answer: no input makes the house fall over, and what is refused leaves nothing."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.facts.models import Event, Receipt, Visit
from tests.cast import Cast
from tests.interfaces.api.conftest import YESTERDAY, Caller, sale

pytestmark = pytest.mark.django_db

TEXT = st.text(max_size=12) | st.sampled_from(
    ["\x00", "\ud800", "JA", "F1", YESTERDAY, "13800000003", "💄", "1e400", "-0"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(TEXT, inside, max_size=3),
    max_leaves=6,
)
BASES: dict[str, tuple[str, dict[str, Any]]] = {
    "purchases": ("/purchases", sale()),
    "visits": ("/visits", {"id": "1", "store": "JA", "happened_at": YESTERDAY, "customer": {"phone": "13800000003"}}),
    "events": ("/events", {"id": "1", "kind": "app.opened", "happened_at": YESTERDAY, "data": {"a": 1}}),
}
FEW = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@FEW
@given(data=st.data())
def test_every_item_of_a_batch_gets_an_answer(data: st.DataObject, hq: Caller, cast: Cast) -> None:
    name = data.draw(st.sampled_from(sorted(BASES)))
    path, base = BASES[name]
    field = data.draw(st.sampled_from([*base, "source", "staff", "lines", "tenders", "purpose", "misspelt"]))
    items = [base | {field: data.draw(ANYTHING)}, data.draw(ANYTHING), base]
    answer = hq.post(path, {name: items})
    assert answer.status_code == 200, answer.content
    report = answer.json()
    assert report["created"] + report["skipped"] + report["refused"] == 3
    assert report["results"][2]["status"] != "refused" or report["results"][0]["status"] == "created"
    model = {"purchases": Receipt, "visits": Visit, "events": Event}[name]
    for one in report["results"]:
        assert (one["id"] is None) == (one["status"] == "refused")
        assert one["id"] is None or model.objects.filter(pk=one["id"]).exists()


@FEW
@given(data=st.data())
def test_every_single_write_gets_an_answer(data: st.DataObject, hq: Caller, cast: Cast) -> None:
    new = {"name": "张", "home_store": "JA"}
    fields = [
        *new,
        "phone",
        "email",
        "birth_year",
        "birth_day",
        "gender",
        "external_ids",
        "adviser_id",
        "wecom_id",
        "city",
    ]
    body = new | {data.draw(st.sampled_from(fields)): data.draw(ANYTHING)}
    assert hq.post("/customers", body).status_code in {201, 400, 404, 409, 422}
    body.pop("home_store", None)
    assert hq.patch(f"/customers/{cast.vera.pk}", body).status_code in {200, 400, 404, 409, 422}


@FEW
@given(
    field=st.sampled_from(["name", "phone", "external_id", "source", "store", "cursor", "limit"]),
    value=st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)
def test_every_question_gets_an_answer(field: str, value: str, hq: Caller, cast: Cast) -> None:
    assert hq.get("/customers", **{field: value}).status_code in {200, 422}
