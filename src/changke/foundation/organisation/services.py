"""Setting up the chain and changing its settings."""

import datetime as dt
from collections.abc import Mapping
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Value
from django.db.models.functions import Concat, Substr

from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation import rules
from changke.foundation.organisation.models import Activity, Chain, Region, Store


class StoreCodeTaken(DomainError):
    code, status = "store_code_taken", 409
    message = "There is already a store with the code %(store_code)s."


class TreeTooDeep(DomainError):
    code, status = "tree_too_deep", 409
    message = "Regions nest at most %(most)s levels deep."


class RegionNameTaken(DomainError):
    code, status = "region_name_taken", 409
    message = "There is already a region %(name)s at this place."


class RegionNotEmpty(DomainError):
    code, status = "region_not_empty", 409
    message = "Stores or regions still hang from this region. Move them first."


class RegionInUse(DomainError):
    code, status = "region_in_use", 409
    message = "Somebody holds a role on this region. Take it back first."


SETTINGS = frozenset(
    {"name", "time_zone", "language", "activity_kinds", "silent_after_days", "lost_after_days", "mature_visit_days"}
    | {"gap_weight", "second_factor_required"}
)


@transaction.atomic
def found_chain(
    *,
    name: str,
    currency: str = "CNY",
    time_zone: str = "Asia/Shanghai",
    language: str = "zh-hans",
    second_factor_required: bool = True,
    by: By = HOUSE,
    now: dt.datetime,
) -> Chain:
    """The chain of this installation. A second call with the same name and currency changes nothing."""
    known_zone(time_zone)
    chain, is_new = Chain.objects.get_or_create(
        only=True,
        defaults={
            "name": name,
            "currency": currency,
            "time_zone": time_zone,
            "language": language,
            "second_factor_required": second_factor_required,
        },
    )
    if is_new:
        given = {"name": name, "currency": currency, "time_zone": time_zone, "language": language}
        record(by=by, action="chain.founded", subject=f"chain:{chain.pk}", after=given, now=now)
    return chain


@transaction.atomic
def change_settings(chain: Chain, changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> Chain:
    """Change some settings of the chain; all of them or, where one is wrong, none."""
    before = as_audited(chain)
    for field, value in changes.items():
        if field not in SETTINGS:
            raise Invalid(field=field, reason="not a setting of the chain")
        setattr(chain, field, value)
    if not chain.activity_kinds or set(chain.activity_kinds) - set(Activity.values):
        raise Invalid(field="activity_kinds", reason="choose at least one of visit, purchase, use")
    if not 1 <= chain.silent_after_days < chain.lost_after_days <= 3650:
        raise Invalid(field="lost_after_days", reason="must be larger than the days until silent, and at most 3650")
    known_zone(chain.time_zone)
    try:
        chain.full_clean(exclude=["only"])
    except ValidationError as error:
        field, reasons = next(iter(error.message_dict.items()))
        raise Invalid(field=field, reason=reasons[0]) from None
    chain.save()
    after = as_audited(chain)
    record(by=by, action="chain.changed", subject=f"chain:{chain.pk}", before=before, after=after, now=now)
    return chain


def as_audited(one: Chain | Region | Store) -> dict[str, object]:
    """What an audit line keeps of it. A region is named by its id: of two of the same name one is meant."""
    match one:
        case Chain():
            return {field: getattr(one, field) for field in sorted(SETTINGS)}
        case Region():
            return {"name": one.name, "parent": one.parent_id}
        case Store():
            plain = {field: getattr(one, field) for field in ("code", "name", "time_zone", "opening_days", "is_open")}
            return plain | {"region": one.region_id}


def known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise Invalid(
            field="time_zone", reason="there is no time zone %(zone)s; write one like Asia/Shanghai", zone=name
        ) from None
    return name


@transaction.atomic
def add_region(*, name: str, parent: Region | None = None, by: By = HOUSE, now: dt.datetime) -> Region:
    """The region of that name under that parent, made if it is not there yet."""
    above = _path(parent)
    if rules.depth(above) >= rules.DEEPEST:
        raise TreeTooDeep(most=rules.DEEPEST)
    region, is_new = Region.objects.get_or_create(name=name, parent=parent)
    if is_new:
        region.path = rules.path_of(region.pk, above)
        region.save(update_fields=["path"])
        record(by=by, action="region.added", subject=f"region:{region.pk}", after=as_audited(region), now=now)
    return region


@transaction.atomic
def change_region(region: Region, *, name: str, parent: Region | None, by: By = HOUSE, now: dt.datetime) -> Region:
    """Rename a region, or hang it elsewhere with everything below it. Who holds grants on a node above gains or loses
    the stores that came or went."""
    list(Chain.objects.select_for_update())  # one move at a time: of two, each alone right, both might close a ring
    region = Region.objects.get(pk=region.pk)
    before = as_audited(region)
    above = _path(parent)
    if rules.is_below(above, region.path):
        raise Invalid(field="parent", reason="a region cannot hang below itself")
    old, new = region.path, rules.path_of(region.pk, above)
    levels = [rules.depth(path) for path in Region.objects.filter(path__startswith=old).values_list("path", flat=True)]
    if max(levels) + rules.depth(new) - rules.depth(old) > rules.DEEPEST:
        raise TreeTooDeep(most=rules.DEEPEST)
    region.name, region.parent = name.strip(), parent
    if not region.name:
        raise Invalid(field="name", reason="is missing")
    try:
        with transaction.atomic():
            region.save()
    except IntegrityError:
        raise RegionNameTaken(name=region.name) from None
    if new != old:
        for model in (Region, Store):
            moved = Concat(Value(new), Substr("path", len(old) + 1))
            model.objects.filter(path__startswith=old).update(path=moved)
        region.refresh_from_db()
    after = as_audited(region)
    record(by=by, action="region.changed", subject=f"region:{region.pk}", before=before, after=after, now=now)
    return region


@transaction.atomic
def remove_region(region: Region, *, by: By = HOUSE, now: dt.datetime) -> None:
    """Take away a region that nothing hangs from."""
    if Region.objects.filter(parent=region).exists() or Store.objects.filter(region=region).exists():
        raise RegionNotEmpty
    subject, before = f"region:{region.pk}", as_audited(region)
    try:
        with transaction.atomic():
            region.delete()
    except ProtectedError:
        raise RegionInUse from None
    record(by=by, action="region.removed", subject=subject, before=before, now=now)


def _path(region: Region | None) -> str:
    """The path as it stands, held until we are done: nobody moves the node meanwhile."""
    if region is None:
        return rules.TOP
    return Region.objects.select_for_update().values_list("path", flat=True).get(pk=region.pk)


def add_store(
    *,
    code: str,
    name: str,
    region: Region | None = None,
    time_zone: str = "Asia/Shanghai",
    opening_days: list[int] | None = None,
    by: By = HOUSE,
    now: dt.datetime,
) -> Store:
    """A new store. Its code is what tills and files call it."""
    try:
        with transaction.atomic():
            store = Store.objects.create(
                code=code,
                name=name,
                region=region,
                path=_path(region),
                time_zone=known_zone(time_zone),
                **({"opening_days": opening_days} if opening_days else {}),
            )
            record(by=by, action="store.added", subject=f"store:{store.pk}", after=as_audited(store), now=now)
            return store
    except IntegrityError:
        raise StoreCodeTaken(store_code=code) from None


@transaction.atomic
def change_store(store: Store, changes: Mapping[str, object], *, by: By = HOUSE, now: dt.datetime) -> Store:
    """Change name, region, zone, opening days or whether it is open. The business dates of past facts stay."""
    before = as_audited(store)
    for field, value in changes.items():
        if field not in {"name", "region", "time_zone", "opening_days", "is_open"}:
            raise Invalid(field=field, reason="not a field of a store")
        setattr(store, field, value)
    known_zone(store.time_zone)
    if not set(store.opening_days) <= set(range(1, 8)):
        raise Invalid(field="opening_days", reason="days are 1 (Monday) to 7 (Sunday)")
    store.path = _path(store.region)
    store.save()
    after = as_audited(store)
    record(by=by, action="store.changed", subject=f"store:{store.pk}", before=before, after=after, now=now)
    return store
