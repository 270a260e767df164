"""Who may open a page: a view names the capability it needs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import require
from changke.interfaces.web import current

View = Callable[..., HttpResponseBase]


def needs(capability: Capability) -> Callable[[View], View]:
    """Refuse everybody who may not do it anywhere; whom it may be done to, the view asks with `current.scope_for`."""

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **places: Any) -> HttpResponseBase:
            require(current.staff(request), capability)
            return view(request, *arguments, **places)

        return guarded

    return guard
