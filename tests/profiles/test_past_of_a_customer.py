"""The bands of the past ask only some days; asking every day gives the same."""

import datetime as dt

import pytest

from changke.foundation.organisation.queries import the_chain
from changke.profiles.attributes.models import Profile
from changke.profiles.attributes.queries import settings_of, values_for, versions
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.lifecycle.services import explain, refresh_all
from changke.profiles.lifecycle.services.some import compute_some
from tests.profiles.world import NOW, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def refreshed(invented: None, tmp_path_factory: pytest.TempPathFactory) -> None:
    refresh_all(now=NOW, mirror=tmp_path_factory.mktemp("mirror") / "mirror.duckdb", months=5)


@pytest.mark.parametrize("model", ["m4", "m2"])
@pytest.mark.parametrize("purchases", [1, 3, 6, 15])
def test_the_bands_are_those_of_every_day(refreshed: None, model: str, purchases: int) -> None:
    customer = Profile.objects.filter(purchases=purchases).order_by("pk").first()
    assert customer is not None
    found = explain(customer.pk, TODAY, now=NOW, model=model)
    settings, models, known = settings_of(the_chain()), models_in_use(), versions()
    days = [found.bands[0].first + dt.timedelta(days=n) for n in range((TODAY - found.bands[0].first).days + 1)]
    for day in days[::3] + [band.first for band in found.bands]:
        version = known.on(day)
        assert version is not None
        [row] = compute_some([customer.pk], models, values_for(settings, today=day, version=version))
        [band] = [band for band in found.bands if band.first <= day <= band.last]
        assert row[f"stage_{model}"] == band.stage, day


def test_today_in_the_bands_is_today_in_the_profile(refreshed: None) -> None:
    for row in Profile.objects.order_by("pk")[:20]:
        assert explain(row.pk, TODAY, now=NOW).stage == row.stage
