"""What her tags ask for, and what her group has most: read when asked, so that a tag counts at once and a newcomer is
proposed something on her first day. docs/algorithms/affinity.md"""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q

from changke.facts.catalog.models import Item, ItemKind
from changke.facts.customers.models import Customer, Tag
from changke.profiles.affinity.models import Favourite, Need, Trait
from changke.profiles.affinity.rules import AGE_BAND_YEARS, ALL, HOME, TAG

HAD = Q(kind__in=[ItemKind.SERVICE, ItemKind.PRODUCT, ItemKind.OTHER])
"""Cards and money on them are no needs."""


@dataclass(frozen=True)
class Group:
    """A group of the chain, and how many of its members had an item. Of wearers of a tag ever, else in 60 days."""

    trait: str
    value: str
    customers: int
    members: int
    lift_low_milli: int | None = None


@dataclass(frozen=True)
class Asked:
    """An item that a tag of hers asks for: because the chain said so, or (`learnt`) because wearers had it oftener."""

    item: Item
    tag: Tag
    learnt: Group | None = None


def asked_of(customer_id: int) -> Iterator[Asked]:
    """What the chain said first, then what was learnt; of a category what everybody asks for most comes first. An item
    comes once."""
    tags = {tag.name: tag for tag in Tag.objects.filter(customer=customer_id).select_related("given_by")}
    if not tags:
        return
    seen: set[int] = set()
    needs = list(Need.objects.filter(tag__in=tags))
    wanted = Q(pk__in=[need.item_id for need in needs]) | Q(category__in=[need.category_id for need in needs])
    items = list(Item.objects.filter(wanted, HAD, is_active=True)) if needs else []
    rank = dict(Favourite.objects.filter(trait=ALL).values_list("item_id", "place"))
    items.sort(key=lambda item: (rank.get(item.pk, len(rank) + 1), item.pk))
    for need in needs:
        for item in items:
            fits = need.item_id == item.pk or (need.category_id and need.category_id == item.category_id)
            if fits and item.pk not in seen:
                seen.add(item.pk)
                yield Asked(item, tags[need.tag])
    rows = list(Favourite.objects.filter(trait=TAG, value__in=tags).order_by("-lift_low_milli", "item_id"))
    learnt = Item.objects.filter(HAD, is_active=True).in_bulk([row.item_id for row in rows])
    for row in rows:
        if row.item_id in learnt and row.item_id not in seen:
            seen.add(row.item_id)
            yield Asked(learnt[row.item_id], tags[row.value], _group(row))


def liked_in_her_group(customer: Customer) -> list[tuple[Item, Group]]:
    """What those of her age have most, or of her gender, or of her home store, or everybody: of the first of these
    that is known and large enough."""
    latest = Favourite.objects.order_by("-as_of").first()
    if latest is None:
        return []
    groups = [(Trait.GENDER.value, customer.gender), (HOME, str(customer.home_store_id or "")), (ALL, "")]
    if customer.birth_year:
        band = (latest.as_of.year - customer.birth_year) // AGE_BAND_YEARS * AGE_BAND_YEARS
        groups.insert(0, (Trait.AGE.value, str(band)))
    for trait, value in groups:
        rows = list(Favourite.objects.filter(trait=trait, value=value).order_by("place"))
        items = Item.objects.filter(is_active=True).in_bulk([row.item_id for row in rows])
        if found := [(items[row.item_id], _group(row)) for row in rows if row.item_id in items]:
            return found
    return []


def asked_for() -> set[int]:
    """Every item that some tag may ask for."""
    said = Q(pk__in=Need.objects.exclude(item=None).values("item")) | Q(
        category__in=Need.objects.exclude(category=None).values("category")
    )
    learnt = Favourite.objects.filter(trait=TAG).values("item_id")
    return set(Item.objects.filter(said | Q(pk__in=learnt)).values_list("pk", flat=True))


def _group(row: Favourite) -> Group:
    return Group(row.trait, row.value, row.customers, row.members, row.lift_low_milli)
