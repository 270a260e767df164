"""What somebody may do, and where: the grants of one moment, added up."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import reduce

from changke.foundation.access.capabilities import BUILT_IN, OF_HER_HOME, OF_THE_CHAIN, Capability
from changke.foundation.access.models import Grant, OwnRole
from changke.foundation.organisation.scope import NOBODY, Scope


@dataclass(frozen=True)
class Held:
    """One role on one node: what it includes, and whom of the stores below the node."""

    capabilities: frozenset[Capability]
    scope: Scope


@dataclass(frozen=True)
class Rights:
    held: tuple[Held, ...] = ()

    def scope(self, capability: Capability) -> Scope:
        """Whom every node where a role includes it lets one see, together."""
        found = _together(one.scope for one in self.held if capability in one.capabilities)
        if capability in OF_THE_CHAIN and not found.whole_chain:
            return NOBODY
        return found.at_home() if capability in OF_HER_HOME else found

    def allows(self, capability: Capability) -> bool:
        """Whether a role includes it at all, even where no store is left to do it in."""
        return any(
            capability in one.capabilities and (capability not in OF_THE_CHAIN or one.scope.whole_chain)
            for one in self.held
        )

    def reach(self) -> Scope:
        """Whom any role lets one see: the rows that the database shows, below the scope of each capability."""
        return _together(one.scope for one in self.held)

    def held_to(self, scopes: Iterable[str]) -> "Rights":
        """What is left of them where only these capabilities may be used."""
        wanted = frozenset(scopes)
        return Rights(tuple(Held(one.capabilities & wanted, one.scope) for one in self.held))

    def covers(self, other: "Rights") -> bool:
        """Whether everything the other may do, may be done here too, everywhere he may do it."""
        return all(
            self.scope(capability).covers(one.scope.at_home() if capability in OF_HER_HOME else one.scope)
            for one in other.held
            for capability in one.capabilities
        )


def capabilities_of(role: str | OwnRole) -> frozenset[Capability]:
    """What a role includes. Of a capability that a later release took away nothing is left."""
    if isinstance(role, str):
        return BUILT_IN[role]
    known = {one.value for one in Capability}
    return frozenset(Capability(one) for one in role.capabilities if one in known)


def role_of(grant: Grant) -> str | OwnRole:
    return grant.own_role or grant.built_in


def _together(scopes: Iterable[Scope]) -> Scope:
    return reduce(Scope.__or__, scopes, NOBODY)


def held_by(grants: Iterable[tuple[Grant, Scope]]) -> Rights:
    return Rights(tuple(Held(capabilities_of(role_of(grant)), scope) for grant, scope in grants))
