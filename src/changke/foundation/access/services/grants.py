"""Roles granted on nodes of the tree: given, taken back, and the roles of the chain's own.

Nobody gives more than he has, and the last owner stays. Each verb writes its line into the audit trail.
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import CHAIN_WIDE_ROLES, ApiKey, Grant, OwnRole, Role, Sees, Staff
from changke.foundation.access.queries import node_scope, require, rights_of, seen_of
from changke.foundation.access.rights import Held, Rights, capabilities_of, role_of
from changke.foundation.audit.rules import By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Chain, Region, Store


class LastOwner(DomainError):
    code, status = "last_owner", 409
    message = "The last owner cannot be changed: somebody has to hold the keys."


class MoreThanOnesOwn(DomainError):
    code, status = "more_than_ones_own", 403
    message = "Nobody can give more than he has himself."


class RoleNameTaken(DomainError):
    code, status = "role_name_taken", 409
    message = "There is already a role %(name)s."


class RoleInUse(DomainError):
    code, status = "role_in_use", 409
    message = "Somebody still holds this role. Take it back first."


@dataclass(frozen=True)
class Giver:
    """Who grants: his rights bound what he may give, `by` is how the audit trail names him. Nobody: whoever commands
    the machine itself, and so the database."""

    who: Staff | ApiKey | None
    by: By

    def must_be_let(self) -> None:
        """Refuse whoever may not give roles at all."""
        if self.who is not None:
            require(self.who, Capability.ROLES_MANAGE)

    def must_have(self, wanted: Rights) -> None:
        """Refuse to give more than one has oneself."""
        if self.who is not None and not rights_of(self.who).covers(wanted):
            raise MoreThanOnesOwn


@transaction.atomic
def grant_role(
    to: Staff | ApiKey,
    role: str | OwnRole,
    *,
    node: Region | Store | None,
    sees: str = Sees.HOME,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    giver: Giver,
    now: dt.datetime,
) -> Grant:
    """Give a role on a node and everything below it. Without `until` it stays until it is taken back. `sees`: which
    customers of the node."""
    giver.must_be_let()
    if isinstance(role, str) and role not in Role.values:
        raise Invalid(field="role", reason="choose one of %(choices)s", choices=", ".join(Role.values))
    if until is not None and until <= max(now, since or now):
        raise Invalid(field="until", reason="must lie in the future, and after its beginning")
    known_sees(sees, to)
    staff_id = to.pk if isinstance(to, Staff) else None
    giver.must_have(Rights((Held(capabilities_of(role), seen_of(node, sees, staff_id)),)))
    grant = Grant.objects.create(
        staff=to if isinstance(to, Staff) else None,
        key=to if isinstance(to, ApiKey) else None,
        built_in=role if isinstance(role, str) else "",
        own_role=role if isinstance(role, OwnRole) else None,
        region=node if isinstance(node, Region) else None,
        store=node if isinstance(node, Store) else None,
        sees=sees,
        since=since,
        until=until,
        granted_by=giver.who if isinstance(giver.who, Staff) else None,
        granted_at=now,
    )
    record(by=giver.by, action="role.granted", subject=subject_of(to), after=told(grant), now=now)
    return grant


@transaction.atomic
def take_back(grant: Grant, *, giver: Giver, now: dt.datetime) -> None:
    """Take a role back at once."""
    giver.must_be_let()
    if grant.built_in == Role.OWNER and grant.staff_id is not None:
        another_owner(besides=grant)
    holder = grant.staff or grant.key
    assert holder is not None
    record(by=giver.by, action="role.taken_back", subject=subject_of(holder), before=told(grant), now=now)
    grant.delete()


@transaction.atomic
def save_role(
    role: OwnRole | None, *, name: str, capabilities: Iterable[str], giver: Giver, now: dt.datetime
) -> OwnRole:
    """Make a role of one's own, or change one. Whoever holds it can do what it says from the next request on."""
    giver.must_be_let()
    name, wanted = name.strip(), set(capabilities)
    if not name:
        raise Invalid(field="name", reason="is missing")
    if unknown := wanted - {one.value for one in Capability}:
        raise Invalid(field="capabilities", reason="there is no %(unknown)s", unknown=", ".join(sorted(unknown)))
    if not wanted:
        raise Invalid(field="capabilities", reason="choose at least one")
    before = None if role is None else {"name": role.name, "capabilities": sorted(role.capabilities)}
    saved = role or OwnRole()
    saved.name, saved.capabilities = name, [one.value for one in Capability if one.value in wanted]
    giver.must_have(Rights((Held(capabilities_of(saved), node_scope(None)),)))
    try:
        with transaction.atomic():
            saved.save()
    except IntegrityError:
        raise RoleNameTaken(name=name) from None
    action, after = ("role.changed" if role else "role.added"), {"name": name, "capabilities": sorted(wanted)}
    record(by=giver.by, action=action, subject=f"role:{saved.pk}", before=before, after=after, now=now)
    return saved


@transaction.atomic
def remove_role(role: OwnRole, *, giver: Giver, now: dt.datetime) -> None:
    giver.must_be_let()
    before = {"name": role.name, "capabilities": sorted(role.capabilities)}
    record(by=giver.by, action="role.removed", subject=f"role:{role.pk}", before=before, now=now)
    try:
        with transaction.atomic():
            role.delete()
    except ProtectedError:
        raise RoleInUse from None


def known_sees(sees: str, to: Staff | ApiKey) -> None:
    """Refuse a word that is none of them, and a machine as somebody's adviser."""
    if sees not in Sees.values:
        raise Invalid(field="sees", reason="choose one of %(choices)s", choices=", ".join(Sees.values))
    if sees == Sees.ASSIGNED and isinstance(to, ApiKey):
        raise Invalid(field="sees", reason="a key is nobody's adviser: choose home or visited")


def stand(holder: Staff | ApiKey, role: str, stores: Iterable[Store], sees: str = Sees.HOME) -> None:
    """The grants that follow from a position: the role on each of the stores, or on the chain, which sees everybody."""
    mine = {"staff": holder} if isinstance(holder, Staff) else {"key": holder}
    Grant.objects.filter(standing=True, **mine).delete()
    places: list[Store | None] = [None] if role in CHAIN_WIDE_ROLES else list(stores)
    if role == Role.ANALYST and not places:
        places = [None]
    Grant.objects.bulk_create(
        Grant(built_in=role, store=place, standing=True, sees=Sees.HOME if place is None else sees, **mine)
        for place in places
    )
    holder.__dict__.pop("_rights", None)


def another_owner(*, besides: Grant | Staff) -> None:
    """Refuse unless somebody else holds the whole chain for good. One change of owners at a time."""
    list(Chain.objects.select_for_update())
    owners = Grant.objects.filter(
        Q(since__isnull=True), built_in=Role.OWNER, region__isnull=True, store__isnull=True, until__isnull=True,
        staff__is_active=True,
    )  # fmt: skip
    owners = owners.exclude(pk=besides.pk) if isinstance(besides, Grant) else owners.exclude(staff=besides)
    if not owners.exists():
        raise LastOwner


def subject_of(holder: Staff | ApiKey) -> str:
    return f"{'staff' if isinstance(holder, Staff) else 'key'}:{holder.pk}"


def told(grant: Grant) -> dict[str, object]:
    """A grant as the audit trail keeps it: names, which stay readable when role or node are gone."""
    node = grant.region or grant.store
    return {
        "role": str(role_of(grant)),
        "node": f"{'region' if grant.region_id else 'store'}:{node.pk} {node.name}" if node else "chain",
        "sees": grant.sees,
        "since": grant.since,
        "until": grant.until,
    }
