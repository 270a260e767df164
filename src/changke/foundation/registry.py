"""The one Registry of every extension point: an importer, a preset, an attribute registers itself and is found."""

from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")


class RegistryError(Exception):
    """A wrong extension: found at start, named by key, so that it never fails in front of a customer."""


class Registry(Generic[T]):
    """Things of one kind by key. A second one under the same key, or one of another kind, is refused."""

    def __init__(self, name: str, kind: type[T] | Callable[[object], bool]) -> None:
        self.name = name
        self._kind = kind
        self._things: dict[str, T] = {}

    def register(self, key: str, thing: T) -> T:
        """Add `thing` under `key` and hand it back, so that the call can stand where the thing is made."""
        if key in self._things:
            raise RegistryError(f"{self.name}: {key!r} is registered twice")
        fits = isinstance(thing, self._kind) if isinstance(self._kind, type) else self._kind(thing)
        if not fits:
            raise RegistryError(f"{self.name}: {key!r} is a {type(thing).__name__}, which is not of the expected kind")
        self._things[key] = thing
        return thing

    def __getitem__(self, key: str) -> T:
        try:
            return self._things[key]
        except KeyError:
            known = ", ".join(sorted(self._things)) or "none"
            raise RegistryError(f"{self.name}: there is no {key!r}; there are {known}") from None

    def __contains__(self, key: object) -> bool:
        return key in self._things

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._things))

    def __len__(self) -> int:
        return len(self._things)

    @property
    def all(self) -> Mapping[str, T]:
        """Everything registered, by key."""
        return dict(self._things)
