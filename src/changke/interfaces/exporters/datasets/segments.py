"""Who was in which segment from when to when, of the customers and segments that whoever asks may see."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changke.interfaces.exporters.shape import Ask, Column
from changke.interfaces.exporters.streams import register
from changke.profiles.segments.asking import words_of_the_chain
from changke.profiles.segments.moves import all_stays

STAYS = (
    Column("stay_id", _("Number here"), "int"),
    Column("segment_key", _("Key of the segment")),
    Column("segment", _("Segment")),
    Column("customer_id", _("Customer number"), "int"),
    Column("entered_at", _("Entered"), "moment"),
    Column("entered_why", _("Entered because of")),
    Column("entered_version", _("Version on entering"), "int"),
    Column("left_at", pgettext_lazy("segment", "Left"), "moment"),
    Column("left_why", _("Left because of")),
    Column("left_version", _("Version on leaving"), "int"),
)


def stays(ask: Ask) -> Any:
    rows = all_stays(ask.scope, words_of_the_chain(role=ask.role or None))
    return rows.values_list(
        "pk", "segment__key", "segment__name", "customer_id",
        "entered_at", "entered_why", "entered_version", "left_at", "left_why", "left_version",
    )  # fmt: skip


register("segment_stays", _("Stays in segments"), STAYS, stays)
