from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from changke.foundation.errors import DomainError
from changke.foundation.organisation.models import Chain, Region, Store


class NoChainYet(DomainError):
    code, status = "no_chain_yet", 409
    message = "This installation has no chain yet. Run `changke demo`, or `changke up` and open the first page."


def the_chain() -> Chain:
    """The one chain of this installation."""
    chain = Chain.objects.first()
    if chain is None:
        raise NoChainYet
    return chain


def stores_below(path: str) -> frozenset[int]:
    """Ids of the stores under a node: one range of the index of paths."""
    return frozenset(Store.objects.filter(path__startswith=path).values_list("id", flat=True))


@dataclass(frozen=True)
class Node:
    """A line of the tree as it is read: a region or a store, and how far it is indented."""

    depth: int
    region: Region | None = None
    store: Store | None = None

    @property
    def path(self) -> str:
        node = self.region or self.store
        assert node is not None
        return node.path


def tree() -> list[Node]:
    """The whole chain from the top, by name: regions with what hangs below them, then the stores of the level."""
    regions: dict[int | None, list[Region]] = defaultdict(list)
    stores: dict[int | None, list[Store]] = defaultdict(list)
    for region in Region.objects.order_by("name", "id"):
        regions[region.parent_id].append(region)
    for store in Store.objects.order_by("name", "id"):
        stores[store.region_id].append(store)

    def below(parent: int | None, depth: int) -> Iterator[Node]:
        for region in regions[parent]:
            yield Node(depth, region=region)
            yield from below(region.pk, depth + 1)
        for store in stores[parent]:
            yield Node(depth, store=store)

    return list(below(None, 0))


def names_of_regions() -> dict[int, str]:
    """Region -> its way from the top in names, in the order of the tree: two towns may have a district of one name."""
    names: dict[str, str] = {}
    found: dict[int, str] = {}
    for node in tree():
        if node.region is not None:
            above = node.path.removesuffix(f"{node.region.pk}/")
            names[node.path] = f"{names[above]} / {node.region.name}" if above in names else node.region.name
            found[node.region.pk] = names[node.path]
    return found
