"""The pages of a chain's own scores: define, load, look at what came of it, take back."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from changke.facts.scores.models import Score
from changke.foundation.batches.models import Batch
from changke.interfaces import jobs
from changke.interfaces.scores import work
from changke.profiles.lifecycle.services.some import refresh_customers
from tests.cast import NOW, Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def hq(cast: Cast, settings: Any, tmp_path: Path, client: Client) -> Client:
    settings.DATA_DIR = tmp_path
    client.force_login(cast.hq)
    return client


def test_from_the_definition_to_her_page_and_back(
    cast: Cast, hq: Client, django_capture_on_commit_callbacks: Any
) -> None:
    assert "scores/load" not in hq.get(reverse("scores")).text, "nothing to load before there is a score"
    sent = {"key": "churn", "kind": "chance", "label_zh_hans": "流失概率"}
    assert hq.post(reverse("score-new"), {**sent, "key": "churn_on"}).status_code == 422
    assert hq.post(reverse("score-new"), sent).status_code == 303
    assert "流失概率" in hq.get(reverse("scores")).text
    content = f"customer_id,churn\n{cast.vera.pk},0.735\n{10**9},0.1\n"
    wrong = SimpleUploadedFile("churn.csv", b"customer_id,unheard\n1,2\n")
    refused = hq.post(reverse("scores-load"), {"file": wrong})
    assert refused.status_code == 422
    assert "unheard" in refused.text
    file = SimpleUploadedFile("流失.csv", content.encode())
    answer = hq.post(reverse("scores-load"), {"file": file, "scored_on": "2026-02-01"})
    batch = Batch.objects.get(kind=work.KIND)
    assert answer.headers["Location"] == reverse("scores-result", args=[batch.pk])
    assert "poll" in hq.get(answer.headers["Location"]).text or batch.status == "waiting"
    jobs.run_batch(batch_id=batch.pk)
    page = hq.get(answer.headers["Location"]).text
    assert "不是这里的客户" in page
    assert hq.get(reverse("scores-refused", args=[batch.pk])).status_code == 200
    refresh_customers([cast.vera.pk], now=NOW)
    assert "73.5%" in hq.get(reverse("customer-value", args=[cast.vera.pk])).text
    assert hq.get(reverse("scores-undo", args=[batch.pk])).status_code == 200
    hq.post(reverse("scores-undo", args=[batch.pk]))
    jobs.undo_batch(batch_id=batch.pk)
    assert "73.5%" not in hq.get(reverse("customer-value", args=[cast.vera.pk])).text
    assert hq.get(reverse("audit")).status_code == 200


def test_it_is_named_anew_shown_to_some_and_retired(cast: Cast, hq: Client) -> None:
    hq.post(reverse("score-new"), {"key": "rank", "kind": "number", "label_zh_hans": "名次"})
    one = Score.objects.get()
    assert hq.get(reverse("score", args=[one.pk])).status_code == 200
    hq.post(reverse("score", args=[one.pk]), {"label_zh_hans": "排名", "roles": ["owner"]})
    hq.post(reverse("score-ask", args=[one.pk]))
    one.refresh_from_db()
    assert (one.label("zh-hans"), one.roles, one.retired_at is None) == ("排名", ["owner"], False)
    assert hq.post(reverse("score", args=[one.pk]), {"label_zh_hans": ""}).status_code == 422


def test_the_builder_offers_scores(cast: Cast, hq: Client) -> None:
    hq.post(reverse("score-new"), {"key": "churn", "kind": "chance", "label_zh_hans": "流失概率"})
    page = hq.get(reverse("segment-new")).text
    assert "流失概率 (%)" in page
    assert "流失概率：评分日期" in page
