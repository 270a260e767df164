"""Which day it is for whom, and what every statement wants bound."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from changke.engine.definitions import POPULATION_VERSION
from changke.facts.customers.models import Customer
from changke.foundation.organisation.models import Activity, Chain, Store
from changke.foundation.periods import business_date
from changke.profiles.attributes.models import BulkRun, PopulationVersion

FIRST_GAP_DAYS = 30
"""The chain's gap before anybody came twice: most services are bought monthly."""

Settings = Mapping[str, int]


def settings_of(chain: Chain) -> dict[str, int]:
    """The chain's numbers, under the names by which definitions and models call them."""
    kinds = set(chain.activity_kinds)
    return {
        "activity_visit": int(Activity.VISIT in kinds),
        "activity_purchase": int(Activity.PURCHASE in kinds),
        "activity_use": int(Activity.USE in kinds),
        "gap_weight": chain.gap_weight,
        "first_gap_days": FIRST_GAP_DAYS,
        "silent_after_days": chain.silent_after_days,
        "lost_after_days": chain.lost_after_days,
        "mature_visit_days": chain.mature_visit_days,
    }


@dataclass(frozen=True)
class Days:
    """The local day of the chain and of every store whose day is another one."""

    chain: dt.date
    stores: Mapping[int, dt.date]

    def of(self, home_store_id: int | None) -> dt.date:
        """The day of a customer with this home store."""
        return self.chain if home_store_id is None else self.stores.get(home_store_id, self.chain)

    @property
    def all(self) -> list[dt.date]:
        """Every day that it is somewhere in the chain, at most two."""
        return sorted({self.chain, *self.stores.values()})

    @property
    def in_turn(self) -> list[dt.date]:
        """The same, the chain's own day first: the population's values are those of it."""
        return [self.chain, *(day for day in self.all if day != self.chain)]

    def group(self, customer_ids: Iterable[int]) -> dict[dt.date, list[int]]:
        """The customers by the day that it is for them."""
        wanted = list(customer_ids)
        if not self.stores:
            return {self.chain: wanted}
        homes = dict(Customer.objects.filter(pk__in=wanted).values_list("pk", "home_store_id"))
        grouped: dict[dt.date, list[int]] = {}
        for customer in wanted:
            grouped.setdefault(self.of(homes.get(customer)), []).append(customer)
        return grouped


def days_at(now: dt.datetime, chain: Chain) -> Days:
    """Which day it is at `now`, in the chain and in its stores."""
    today = business_date(now, chain.time_zone)
    zones: dict[str, dt.date] = {}
    stores: dict[int, dt.date] = {}
    for store, zone in Store.objects.values_list("pk", "time_zone"):
        day = zones.setdefault(zone, business_date(now, zone))
        if day != today:
            stores[store] = day
    return Days(today, stores)


def values_for(settings: Settings, *, today: dt.date, version: int) -> dict[str, object]:
    """What every statement over customers wants bound, beside its scope."""
    return {**settings, "today": today, POPULATION_VERSION: version}


def last_bulk_run() -> BulkRun | None:
    """The last complete run over everybody."""
    return BulkRun.objects.select_related("version").first()


@dataclass(frozen=True)
class Versions:
    """Which values of the population hold on which day: the last bulk run's from its day on; before, those of the
    latest month end up to the day, else of the earliest."""

    ends: Sequence[tuple[dt.date, int]]
    """Month ends and their versions, in order."""
    since: dt.date | None
    latest: int | None

    def on(self, day: dt.date) -> int | None:
        """The version for a day; None if nothing was ever computed."""
        if (self.since and day >= self.since) or not self.ends:
            return self.latest
        return self.ends[max(bisect_right([end for end, _ in self.ends], day) - 1, 0)][1]


def versions() -> Versions:
    """The versions that are kept."""
    bulk = last_bulk_run()
    latest = bulk.version_id if bulk else _first_version()
    ends = PopulationVersion.objects.filter(nightly=False).order_by("as_of", "pk").values_list("as_of", "pk")
    return Versions(list(ends), bulk.as_of if bulk else None, latest)


def _first_version() -> int | None:
    """What was computed of the few customers there were before the first bulk run (`services/populations.py`)."""
    return PopulationVersion.objects.filter(nightly=True).order_by("-pk").values_list("pk", flat=True).first()
