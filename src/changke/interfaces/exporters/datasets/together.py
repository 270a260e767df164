"""What goes together, as the pages say it: one set each, of the stores of whoever asks."""

from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from changke.foundation.access.capabilities import Capability
from changke.interfaces.exporters.shape import DATASETS, Ask, Column, Dataset, Row
from changke.interfaces.groups import TRAITS, GroupWords
from changke.profiles.affinity.together import groups_of, pairs_of, seasons_of, starters_of

ITEM = (Column("item_code", _("Code of the item")), Column("item", _("Item")))
OTHER = (Column("other_code", _("Code of the other")), Column("other", _("The other")))

PAIRS = (
    Column("among", _("Counted over")),
    *ITEM,
    *OTHER,
    Column("together", _("With both"), "int"),
    Column("had", _("With the item"), "int"),
    Column("other_had", _("With the other"), "int"),
    Column("total", _("Of all"), "int"),
    Column("lift_milli", _("Lift in thousandths"), "int"),
    Column("lift_low_milli", _("At least, in thousandths"), "int"),
)
STARTERS = (
    *ITEM,
    *OTHER,
    Column("customers", _("Began with both"), "int"),
    Column("returned", _("Of them came back"), "int"),
    Column("alone", _("Began with the item alone"), "int"),
    Column("alone_returned", _("Of those came back"), "int"),
    Column("difference_bp", _("Difference in basis points"), "int"),
    Column("low_bp", _("At least, in basis points"), "int"),
    Column("high_bp", _("At most, in basis points"), "int"),
)
SEASONS = (
    *ITEM,
    Column("month", _("First day of the month"), "day"),
    Column("index_milli", _("Index in thousandths"), "int"),
    Column("days", _("Days in a year around"), "int"),
)
GROUPS = (
    Column("trait", _("Grouped by")),
    Column("group", _("Group")),
    Column("members", _("Customers of the group"), "int"),
    *ITEM,
    Column("customers", _("Customers who had it"), "int"),
    Column("share_bp", _("Share in basis points"), "int"),
    Column("everybody_bp", _("Of everybody, in basis points"), "int"),
)
AMONG = {"customers": _("Customers, ever"), "baskets": _("Days of customers")}


def pairs(ask: Ask) -> Iterator[Row]:
    for among, words in AMONG.items():
        found = pairs_of(ask.scope, among=among)  # type: ignore[arg-type]
        for one in found.pairs:
            yield (
                str(words), one.item.code, one.item.name, one.other.code, one.other.name, one.together, one.had,
                one.other_had, found.total, one.lift_milli, one.lift_low_milli,
            )  # fmt: skip


def starters(ask: Ask) -> Iterator[Row]:
    for one in starters_of(ask.scope).starters:
        yield (
            one.item.code, one.item.name, one.other.code, one.other.name, one.customers, one.returned, one.alone,
            one.alone_returned, one.difference_bp, one.low_bp, one.high_bp,
        )  # fmt: skip


def seasons(ask: Ask) -> Iterator[Row]:
    found = seasons_of(ask.scope)
    for one in found.items:
        for month, index in zip(found.months, one.index_milli, strict=True):
            yield (one.item.code, one.item.name, month, index, one.days)


def groups(ask: Ask) -> Iterator[Row]:
    said = GroupWords()
    for trait, words in TRAITS.items():
        for group in groups_of(ask.scope, trait=trait.value):
            name = said.of(trait, group.value)
            for one in group.favourites:
                yield (
                    str(words), name, group.members, one.item.code, one.item.name, one.customers, one.share_bp,
                    one.everybody_bp,
                )  # fmt: skip


for _key, _words, _columns, _rows in (
    ("together_pairs", _("What goes together"), PAIRS, pairs),
    ("together_starters", _("What newcomers begin with"), STARTERS, starters),
    ("together_seasons", _("Seasons"), SEASONS, seasons),
    ("together_groups", _("What each group has most"), GROUPS, groups),
):
    DATASETS.register(
        _key,
        Dataset(
            _key,
            _words,
            _columns,
            _rows,
            lambda ask, rows=_rows: sum(1 for _one in rows(ask)),  # type: ignore[misc]
            needs=Capability.ANALYTICS_VIEW,
        ),
    )
