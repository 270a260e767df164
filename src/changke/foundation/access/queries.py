"""Who may do what, and with whom: the one place that pages, routes and jobs ask."""

from changke.foundation.access.capabilities import BUILT_IN, OF_THE_CHAIN, Capability
from changke.foundation.access.models import CHAIN_WIDE_ROLES, ApiKey, Staff
from changke.foundation.errors import NotAllowed
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope


def scope_of(actor: Staff | ApiKey, capability: Capability = Capability.CUSTOMER_VIEW) -> Scope:
    """Where the actor may do it: the chain, some stores, or nowhere."""
    if capability not in BUILT_IN[actor.role]:
        return NOBODY
    if actor.role in CHAIN_WIDE_ROLES:
        return CHAIN_WIDE
    return NOBODY if capability in OF_THE_CHAIN else Scope(frozenset(actor.stores.values_list("id", flat=True)))


def allows(actor: Staff | ApiKey, capability: Capability) -> bool:
    """Whether the actor's role includes it at all; what `scope_of` leaves is another question."""
    return capability in BUILT_IN[actor.role] and (capability not in OF_THE_CHAIN or actor.role in CHAIN_WIDE_ROLES)


def require(actor: Staff | ApiKey, capability: Capability) -> None:
    """Refuse who may not do it anywhere."""
    if not allows(actor, capability):
        raise NotAllowed
