"""Who may change settings: owner and headquarters."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from changke.foundation.access.models import CHAIN_WIDE_ROLES
from changke.foundation.errors import NotAllowed
from changke.interfaces.web import current

View = Callable[..., HttpResponseBase]


def headquarters_only(view: View) -> View:
    """Refuse everybody who does not answer for the whole chain."""

    @wraps(view)
    def guarded(request: HttpRequest, *arguments: Any, **places: Any) -> HttpResponseBase:
        if current.staff(request).role not in CHAIN_WIDE_ROLES:
            raise NotAllowed
        return view(request, *arguments, **places)

    return guarded
