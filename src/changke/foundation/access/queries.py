"""Who may do what, and with whom: the one place that pages, routes and jobs ask."""

import datetime as dt
from typing import TypeVar

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import CHAIN_WIDE_ROLES, ApiKey, Grant, Sees, Staff
from changke.foundation.access.rights import Held, Rights, capabilities_of, held_by
from changke.foundation.errors import NotAllowed
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.queries import stores_below
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope

Actor = TypeVar("Actor", Staff, ApiKey)


def asking(actor: Actor, now: dt.datetime) -> Actor:
    """The actor as he asks at this moment: grants that have not begun or have ended do not count. The roof says it once
    per request; from then on his rights are read once."""
    actor.asks_at = now
    actor.__dict__.pop("_rights", None)
    return actor


def scope_of(actor: Staff | ApiKey, capability: Capability = Capability.CUSTOMER_VIEW) -> Scope:
    """Where the actor may do it: the chain, some stores, or nowhere."""
    return rights_of(actor).scope(capability)


def allows(actor: Staff | ApiKey, capability: Capability) -> bool:
    """Whether a role of the actor includes it at all; what `scope_of` leaves is another question."""
    return rights_of(actor).allows(capability)


def require(actor: Staff | ApiKey, capability: Capability) -> None:
    """Refuse who may not do it anywhere."""
    if not allows(actor, capability):
        raise NotAllowed


def require_above(actor: Staff | ApiKey, person: Staff | None, role: str = "") -> None:
    """Nobody gives a position that may more than he, and nobody changes somebody who may more."""
    mine = rights_of(actor)
    where = node_scope(None) if role in CHAIN_WIDE_ROLES else NOBODY
    position = Rights((Held(capabilities_of(role), where),) if role else ())
    if not mine.covers(position) or (person is not None and not mine.covers(rights_of(person))):
        raise NotAllowed


def rights_of(actor: Staff | ApiKey) -> Rights:
    """What the grants of the actor add up to at the moment he asks. Without a moment nothing is remembered."""
    kept: Rights | None = actor.__dict__.get("_rights")
    if kept is not None and actor.asks_at is not None:
        return kept
    rights = _read(actor) if not isinstance(actor, Staff) or actor.is_active else Rights()
    actor.__dict__["_rights"] = rights
    return rights


def node_scope(node: Region | Store | None) -> Scope:
    """The stores below a node of the tree; None is the chain."""
    if node is None:
        return CHAIN_WIDE
    return Scope(stores_below(node.path) if isinstance(node, Region) else frozenset({node.pk}))


def seen_of(node: Region | Store | None, sees: str, staff_id: int | None) -> Scope:
    """Whom a grant on the node shows that is given to somebody, or to a key."""
    scope = node_scope(node)
    if sees == Sees.VISITED and scope.store_ids is not None:
        return Scope(scope.store_ids, visited=scope.store_ids)
    if sees == Sees.ASSIGNED:
        return Scope(frozenset(), own=scope.store_ids, adviser=staff_id)
    return scope


def _read(actor: Staff | ApiKey) -> Rights:
    mine = Grant.objects.filter(staff=actor) if isinstance(actor, Staff) else Grant.objects.filter(key=actor)
    valid = [one for one in mine.select_related("own_role", "region", "store") if one.is_valid(actor.asks_at)]
    rights = held_by((one, seen_of(one.region or one.store, one.sees, one.staff_id)) for one in valid)
    return rights.held_to(actor.scopes) if isinstance(actor, ApiKey) and actor.scopes else rights


def called(username: str) -> Staff | None:
    """Whoever works here under that log-in name."""
    return Staff.objects.filter(username__iexact=username.strip(), is_active=True).first()
