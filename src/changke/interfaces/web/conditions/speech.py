"""What conditions ask, in the words of the pages: names of attributes, codes, whole conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from changke.engine.definitions import Column
from changke.facts.catalog.models import Category, Item
from changke.facts.fields.models import Field
from changke.facts.scores.rules import DAY_ENDING
from changke.interfaces import words
from changke.interfaces.web import formats
from changke.interfaces.web.customers.lists import words_of
from changke.interfaces.web.customers.measures import CATEGORIES, CODES, NAMES
from changke.interfaces.web.customers.named import named
from changke.profiles.conditions.words import Speaker
from changke.profiles.lifecycle.queries import models_in_use
from changke.profiles.segments.models import Segment

CARD: Mapping[str, str | Promise] = {
    "source": _("Source"),
    "city": _("City"),
    "gender": _("Gender"),
    "known_on": _("Known since"),
    "birth_month": _("Month of birth"),
    "birth_year": _("Year of birth"),
    "stage": _("Stage"),
}
GENDERS = {"f": words.GENDERS["f"], "m": words.GENDERS["m"]}
OWN = "custom_"
SCORED = "score_"


@dataclass
class Speech:
    """Words of one request; what has to be read from the database is read when it is first asked for."""

    segments: Mapping[str, str]
    """Key -> name."""

    @classmethod
    def of_the_chain(cls) -> "Speech":
        return cls(dict(Segment.objects.values_list("key", "name")))

    @cached_property
    def stages(self) -> dict[str, dict[str, str]]:
        """Attribute -> stage -> word."""
        models = models_in_use()
        found = {f"stage.{one.key}": words_of(one) for one in models}
        return found | ({"stage": words_of(models[0])} if models else {})

    @cached_property
    def models(self) -> dict[str, str]:
        language = get_language() or "zh-hans"
        return {f"stage.{one.key}": one.words.get(language, one.key) for one in models_in_use()}

    @cached_property
    def own(self) -> dict[str, list[str]]:
        """Attribute of an own field -> its choices."""
        return {f"{OWN}{one.key}": list(one.choices) for one in Field.objects.filter(kind="choice")}

    @cached_property
    def items(self) -> dict[str, str]:
        return dict(Item.objects.filter(is_active=True).order_by("name").values_list("code", "name"))

    @cached_property
    def categories(self) -> list[str]:
        return list(Category.objects.order_by("name").values_list("name", flat=True))

    @cached_property
    def categories_by_number(self) -> list[tuple[str, str]]:
        return [(str(pk), name) for pk, name in Category.objects.order_by("name").values_list("pk", "name")]

    def name_of(self, column: Column) -> str:
        name = column.name
        if name in NAMES:
            return str(NAMES[name][0])
        if name in CARD:
            return str(CARD[name])
        if name in self.models:
            return gettext("Stage: %(model)s") % {"model": self.models[name]}
        if name.startswith(SCORED) and name.endswith(DAY_ENDING):
            return gettext("%(score)s: the day it speaks of") % {"score": column.words.removesuffix(" (%)")}
        return column.words if name.startswith((OWN, SCORED)) else gettext(column.words)

    def choices_of(self, column: Column) -> list[tuple[str, str]]:
        """Values with their words, where they are known: chosen, not typed."""
        name = column.name
        if name in self.stages:
            return list(self.stages[name].items())
        if name in CODES:
            return [(code, str(said)) for code, said in CODES[name].items()]
        if name in CATEGORIES:
            return self.categories_by_number
        if name == "gender":
            return [(code, str(said)) for code, said in GENDERS.items()]
        if name in self.own:
            return [(one, one) for one in self.own[name]]
        if column.type == "bool":
            return [("1", gettext("true")), ("0", gettext("false"))]
        return []

    def text(self, column: Column, code: str) -> str:
        return dict(self.choices_of(column)).get(code, code)

    def named(self, kind: str, code: str) -> str:
        match kind:
            case "segment":
                return self.segments.get(code, code)
            case "item":
                return self.items.get(code, code)
        return named(kind, code)

    def speaker(self) -> Speaker:
        return Speaker(money=_money, attribute=self.name_of, text=self.text, named=self.named)


def _money(minor: int) -> str:
    return formats.money(minor, formats.currency.get(), get_language() or "zh-hans")
