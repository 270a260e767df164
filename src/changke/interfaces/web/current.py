"""Whose eyes a page looks through: the signed-in person, and the store chosen in the top bar."""

from typing import cast

from django.http import HttpRequest
from django.utils import timezone

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import asking, require, scope_of
from changke.foundation.access.services.grants import Giver
from changke.foundation.audit.rules import By
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import Scope
from changke.interfaces import requests

SESSION_KEY = "store_id"


def staff(request: HttpRequest) -> Staff:
    """The signed-in person, as she asks at this moment: what she may do is read once per request."""
    person = cast(Staff, request.user)
    return person if person.asks_at is not None else asking(person, timezone.now())


def by(request: HttpRequest) -> By:
    """Who does it, for the audit trail."""
    person = staff(request)
    return By("staff", person.pk, person.name, requests.address(request), requests.request_id(request))


def chain(request: HttpRequest) -> Chain:
    """The chain, as this request has read it already (`CurrencyMiddleware`)."""
    return getattr(request, "chain", None) or the_chain()


def stores(request: HttpRequest) -> list[Store]:
    """The stores this person may look at, by name; read once per request."""
    kept: list[Store] | None = getattr(request, "_stores", None)
    if kept is None:
        scope = scope_of(staff(request))
        found = Store.objects.order_by("name")
        kept = list(found if scope.places is None else found.filter(id__in=scope.places))
        request._stores = kept  # type: ignore[attr-defined]
    return kept


def chosen_store(request: HttpRequest) -> Store | None:
    """The store of the switcher; None means all that the person may see. With a single store it is that one."""
    mine = stores(request)
    if len(mine) == 1:
        return mine[0]
    wanted = request.session.get(SESSION_KEY)
    return next((store for store in mine if store.pk == wanted), None)


def scope(request: HttpRequest) -> Scope:
    """What lists on this page may show: the person's scope, narrowed to the chosen store."""
    store = chosen_store(request)
    return scope_of(staff(request)).narrowed(None if store is None else store.pk)


def scope_for(request: HttpRequest, capability: Capability) -> Scope:
    """Where the person may do it, whichever store is chosen. Who may not do it anywhere is refused."""
    require(staff(request), capability)
    return scope_of(staff(request), capability)


def giver(request: HttpRequest) -> Giver:
    """Who grants roles, for the services of access."""
    return Giver(staff(request), by(request))
