from changke.foundation.access.models import CHAIN_WIDE_ROLES, ApiKey, Staff
from changke.foundation.organisation.scope import CHAIN_WIDE, Scope


def scope_of(actor: Staff | ApiKey) -> Scope:
    """Owner and HQ see the chain; everybody else the stores they are assigned to."""
    if actor.role in CHAIN_WIDE_ROLES:
        return CHAIN_WIDE
    return Scope(frozenset(actor.stores.values_list("id", flat=True)))
