"""The night's steps: what others wait for comes first, what nobody waits for last."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, connection

from changke.interfaces import analytics
from changke.profiles.affinity.together import stands_on
from changke.profiles.risk.models import ChurnWarning, RiskFit
from changke.profiles.risk.rules import Wanted
from changke.profiles.risk.services.choose import use
from changke.profiles.segments.models import SegmentMember
from changke.profiles.segments.services.save import save_segment
from changke.profiles.value.models import Prediction, ValueFit
from tests.cast import NOW, TODAY, Cast

pytestmark = pytest.mark.django_db(transaction=True)


def renamed(was: str, now: str) -> None:
    with connection.cursor() as sql:
        sql.execute(f"ALTER TABLE {was} RENAME TO {now}")


def test_product_lines_that_cannot_be_counted_stop_nothing_of_the_day(
    cast: Cast, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR = tmp_path
    save_segment(None, name="Bought", text="purchases >= 1", now=NOW)
    steps: list[str] = []
    renamed("profiles_lineage", "elsewhere")
    try:
        with pytest.raises(DatabaseError, match="profiles_lineage"):
            analytics.refresh(now=NOW, progress=lambda step, _done, _of: steps.append(step))
    finally:
        renamed("elsewhere", "profiles_lineage")
    told = list(dict.fromkeys(steps))
    assert told[-4:] == ["what to expect", "what to propose", "who may be leaving", "product lines"]
    assert Prediction.objects.count() == SegmentMember.objects.filter(left_at__isnull=True).count() == 5


def test_what_goes_together_is_counted_every_night(cast: Cast, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    analytics.refresh(now=NOW)
    basis = stands_on()
    assert (basis.as_of, basis.customers) == (TODAY, 5)
    assert basis.receipts == basis.with_lines == 22


def test_a_warning_says_the_chance_that_her_page_says(cast: Cast, settings: Any, tmp_path: Path) -> None:
    """Season, rhythm and purse included: one customer has one chance."""
    settings.DATA_DIR = tmp_path
    use(Wanted("fixed", 55), now=NOW)
    analytics.refresh(now=NOW)
    said = dict(Prediction.objects.values_list("customer_id", "p_active_bp"))
    one = ChurnWarning.objects.get(ended_on__isnull=True)
    assert one.horizon_days == Prediction.objects.get(pk=one.customer_id).horizon_days == 90
    assert one.outlook_bp == said[one.customer_id]
    fit = RiskFit.objects.get()
    models = [model["parameters"] for model in ValueFit.objects.get().parameters["models"]]
    assert list(fit.parameters.values()) == models, "the card is that of what is expected"
    later = NOW + timedelta(days=3)
    analytics.refresh(now=later)
    one.refresh_from_db()
    assert one.outlook_bp == Prediction.objects.get(pk=one.customer_id).p_active_bp < said[one.customer_id]
