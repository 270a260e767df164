"""The chain, its regions and its stores: every change of them is a line, and can be put back."""

import datetime as dt
from collections.abc import Mapping

from changke.foundation.audit.kinds import Kind, register
from changke.foundation.audit.rules import By, Values
from changke.foundation.errors import NotFound
from changke.foundation.organisation import services
from changke.foundation.organisation.models import Chain, Region, Store


def _chain(key: str) -> Values | None:
    chain = Chain.objects.filter(pk=key).first()
    return services.as_audited(chain) if chain else None


def _restore_chain(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    services.change_settings(Chain.objects.get(pk=key), values, by=by, now=now)


def _region(key: str) -> Values | None:
    region = Region.objects.filter(pk=key).first()
    return services.as_audited(region) if region else None


def _restore_region(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    region = Region.objects.get(pk=key)
    name, parent = str(values.get("name", region.name)), values.get("parent", region.parent_id)
    services.change_region(region, name=name, parent=_region_of(parent), by=by, now=now)


def _store(key: str) -> Values | None:
    store = Store.objects.filter(pk=key).first()
    return services.as_audited(store) if store else None


def _restore_store(key: str, values: Mapping[str, object], *, by: By, now: dt.datetime) -> None:
    changes = {**values, **({"region": _region_of(values["region"])} if "region" in values else {})}
    services.change_store(Store.objects.get(pk=key), changes, by=by, now=now)


def _region_of(region_id: object) -> Region | None:
    if region_id is None:
        return None
    region = Region.objects.filter(pk=int(str(region_id))).first()
    if region is None:  # it was taken away meanwhile
        raise NotFound
    return region


register(Kind("chain", ("foundation_chain",), "settings.edit", _chain, _restore_chain))
register(Kind("region", ("foundation_region",), "organisation.manage", _region, _restore_region))
register(Kind("store", ("foundation_store",), "organisation.manage", _store, _restore_store))
