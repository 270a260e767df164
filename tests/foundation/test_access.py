"""Who may do what, and where: by role and store."""

import pytest

from changke.foundation.access.capabilities import BUILT_IN, OF_THE_CHAIN, Capability
from changke.foundation.access.queries import allows, require, scope_of
from changke.foundation.access.services import add_staff
from changke.foundation.errors import NotAllowed
from changke.foundation.organisation.scope import CHAIN_WIDE, NOBODY, Scope
from changke.interfaces.capabilities import MEANINGS
from tests.cast import NOW, Cast


def test_every_capability_says_what_it_means() -> None:
    assert list(MEANINGS) == list(Capability)


def test_an_owner_may_everything_and_nobody_beside_him_makes_roles() -> None:
    assert BUILT_IN["owner"] == set(Capability)
    assert [role for role, held in BUILT_IN.items() if Capability.ROLES_MANAGE in held] == ["owner"]


@pytest.mark.parametrize(
    ("who", "capability", "everywhere", "at_home"),
    [
        ("owner", Capability.BACKUP_RUN, True, True),
        ("hq", Capability.CUSTOMER_VIEW, True, True),
        ("hq", Capability.IMPORT_RUN, True, True),
        ("hq", Capability.ROLES_MANAGE, False, False),
        ("manager", Capability.CUSTOMER_VIEW, False, True),
        ("manager", Capability.HANDOVER_RUN, False, True),
        ("manager", Capability.SETTINGS_EDIT, False, False),
        ("clerk", Capability.FACTS_RECORD, False, True),
        ("clerk", Capability.CUSTOMER_EXPORT, False, False),
    ],
)
@pytest.mark.django_db
def test_a_role_says_what_and_the_stores_say_where(
    cast: Cast, who: str, capability: Capability, everywhere: bool, at_home: bool
) -> None:
    person = getattr(cast, who)
    wanted = CHAIN_WIDE if everywhere else Scope(frozenset({cast.jing_an.pk})) if at_home else NOBODY
    assert scope_of(person, capability) == wanted
    assert allows(person, capability) == at_home
    if not at_home:
        with pytest.raises(NotAllowed):
            require(person, capability)


@pytest.mark.django_db
def test_without_a_store_she_sees_nobody(cast: Cast) -> None:
    nobody = add_staff(username="new", name="小新", role="staff", now=NOW)
    assert scope_of(nobody) == NOBODY
    assert not allows(nobody, Capability.CUSTOMER_VIEW)


def test_what_belongs_to_the_chain_is_no_matter_of_a_store() -> None:
    assert not OF_THE_CHAIN & (BUILT_IN["manager"] | BUILT_IN["staff"])
