"""Every page family of this package, found by being there."""

import pkgutil
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.urls import URLPattern, URLResolver, include, path

from changke.interfaces import web


def families() -> list[ModuleType]:
    """The `urls` modules of the folders beside this file."""
    names = [f"{web.__name__}.{child.name}.urls" for child in pkgutil.iter_modules(web.__path__) if child.ispkg]
    return [import_module(name) for name in names if find_spec(name)]


urlpatterns: list[URLPattern | URLResolver] = [path("", include(family)) for family in families()]
