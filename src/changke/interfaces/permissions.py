"""Every page and API route with what it needs, read from the code that refuses: the first capability a view names is
its door. docs/reference/permissions.md is printed from this, and the matrix of the tests asks every door."""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from changke.foundation.access.capabilities import Capability
from changke.interfaces.api.v1.service import api

NAMED = re.compile(r"\bCapability\.([A-Z][A-Z_]+)\b")
LOGGED_IN, NOBODY_KNOWN = "whoever is logged in", "everybody"
OPEN = {
    "find": "leads to the customer list",
    "me": "one's own page",
    "choose_store": "chooses among one's own stores",
    "styleguide": "shows components, no data",
    "today": "the first page: a list of the customers one may view",
    "logout": "one's own log-in",
    "my-password": "one's own password",
    "my-sessions": "one's own log-ins",
    "my-session-end": "one's own log-ins",
    "my-sessions-end": "one's own log-ins",
    "my-second-factor": "one's own second factor",
    "my-pin": "one's own PIN",
    "device-lock": "locks the device in one's hand",
    "rotate_own_key": "a key changes itself",
    "get_batch": "needs what the kind of the batch needs",
    "get_batch_undo": "needs what the kind of the batch needs",
    "post_batch_undo": "needs what the kind of the batch needs",
    "get_stores": "lists one's own stores",
    "get_staff": "lists the staff of one's own stores",
    "get_items": "the catalogue of the chain",
    "get_item": "the catalogue of the chain",
    "get_categories": "the catalogue of the chain",
}
"""Pages and routes that need no capability, and why. Those before the log-in are known by their mark."""


@dataclass(frozen=True)
class Door:
    """One address. `needs` is None where whoever is logged in may come; `open` where nobody needs to be."""

    name: str
    path: str
    method: str
    needs: Capability | None
    open: bool = False
    api: bool = False

    @property
    def about_customer(self) -> bool:
        return "customer_id" in self.path


def pages() -> list[Door]:
    """Every page by its address."""
    return sorted(_pages(get_resolver().url_patterns), key=lambda door: door.path)


def routes() -> list[Door]:
    """Every API route as its document tells of it."""
    found = []
    operations = {operation.operation_id: operation.view_func for operation in _operations()}
    for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items():
        for method, told in methods.items():
            view = operations[told["operationId"]]
            found.append(Door(told["operationId"], f"/api/v1{path}", method.upper(), needed(view), api=True))
    return found


def needed(view: Callable[..., Any]) -> Capability | None:
    """The first capability that the view names, itself or through a helper of its module that it calls first."""
    plain = inspect.unwrap(view)
    source = inspect.getsource(plain)
    helpers = vars(inspect.getmodule(plain))
    if match := NAMED.search(source):
        return Capability[match.group(1)]
    for called in re.findall(r"\b(_\w+)\(", source):
        helper = helpers.get(called)
        if inspect.isfunction(helper) and (match := NAMED.search(inspect.getsource(helper))):
            return Capability[match.group(1)]
    return None


def undeclared() -> list[str]:
    """Doors of which nobody said whom they let in."""
    known = (*pages(), *routes())
    return [door.name for door in known if door.needs is None and not door.open and door.name not in OPEN]


def _pages(patterns: list[Any], before: str = "") -> Iterator[Door]:
    for one in patterns:
        path = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _pages(one.url_patterns, path)
        elif isinstance(one, URLPattern) and not path.startswith("api/"):
            view = one.callback
            is_open = not getattr(view, "login_required", True)
            yield Door(one.name or path, f"/{path}", _method(view), None if is_open else needed(view), open=is_open)


def _method(view: Callable[..., Any]) -> str:
    """GET where it is answered."""
    source = inspect.getsource(inspect.unwrap(view))
    return "POST" if "@require_POST" in source else "GET"


def _operations() -> Iterator[Any]:
    for _prefix, router in api._routers:
        for path in router.path_operations.values():
            yield from path.operations
