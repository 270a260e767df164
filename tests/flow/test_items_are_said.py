"""An import brings an item of which nobody said anything; it is said once, and counts from then on."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from changke.facts.catalog.models import Category, Item
from changke.facts.purchases.models import Receipt
from changke.interfaces.importers import pipeline
from changke.interfaces.importers.pipeline import SourceFile
from tests.cast import NOW, TODAY, Cast
from tests.clock import Clock

pytestmark = pytest.mark.django_db
HEAD = "单号,日期,手机号,项目,金额\n"


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path


def load(path: Path, text: str, *, now: dt.datetime = NOW) -> int:
    path.write_text(HEAD + text)
    batch = pipeline.start(
        [SourceFile(path, path.name)], kind="purchases", store="JA", create=True, language="en", now=now
    )
    assert pipeline.run(batch.pk, now=now).created == 1
    return int(batch.pk)


def margin(number: str) -> tuple[int | None, str]:
    receipt = Receipt.objects.get(number=number, withdrawn_by=None)
    return receipt.margin_minor, receipt.margin_basis


def test_an_item_of_a_file_is_said_to_be_a_service_with_a_margin(
    cast: Cast, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock(monkeypatch, NOW)
    office = Client(headers={"accept-language": "en"})
    office.force_login(cast.hq)
    first = load(folder / "a.csv", f"N-1,{TODAY},13800000005,肩颈舒缓,200\n")
    item = Item.objects.get(name="肩颈舒缓")
    assert (item.kind, margin("N-1")) == ("other", (None, "unknown"))

    # The report of the import points to it; where a card is used it is not offered, and the page says why.
    report = office.get(reverse("imports-result", args=[first])).content.decode()
    assert f"{reverse('items')}?kind=other" in report
    use = {"kind": "use", "item_q": "肩颈"}
    assert f'value="{item.pk}"' not in office.get(reverse("record-items"), use).content.decode()
    assert [row.item for row in office.get(reverse("items"), {"care": "1"}).context["rows"]] == [item]

    # It is said: a service of a category that keeps 60 %.
    office.post(reverse("category-new"), {"name": "身体", "margin": "60"})
    body = Category.objects.get(name="身体")
    marked = {"id": [item.pk], "set_kind": "service", "set_category": body.pk}
    assert office.post(reverse("items-mark"), marked).status_code == 303

    # From now on it counts; what is in stays.
    load(folder / "b.csv", f"N-2,{TODAY},13800000005,肩颈舒缓,300\n")
    assert margin("N-2") == (18_000, "percent")
    assert margin("N-1") == (None, "unknown")
    assert f'value="{item.pk}"' in office.get(reverse("record-items"), use).content.decode()
    assert f"{reverse('items')}?kind=other" not in office.get(reverse("imports-result", args=[first])).content.decode()

    # Who wants it for the first file, undoes that and loads it again.
    pipeline.undo(first, now=NOW)
    load(folder / "a.csv", f"N-1,{TODAY},13800000005,肩颈舒缓,200\n")
    assert margin("N-1") == (12_000, "percent")
