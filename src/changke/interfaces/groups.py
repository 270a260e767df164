"""Words for groups of customers, by age, gender or stage."""

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from changke.interfaces import words
from changke.profiles.affinity.models import Trait
from changke.profiles.affinity.rules import AGE_BAND_YEARS
from changke.profiles.lifecycle.queries import models_in_use

TRAITS = {Trait.AGE: _("Age"), Trait.GENDER: _("Gender"), Trait.STAGE: _("Stage")}


class GroupWords:
    """Of values of a trait; the stages of the default model are read once."""

    def __init__(self) -> None:
        language = get_language() or "zh-hans"
        models = models_in_use()[:1]
        self._stages = {
            stage.key: stage.words.get(language, stage.words["en"]) for one in models for stage in one.stages
        }

    def of(self, trait: str, value: str) -> str:
        """30–39; Female; Growing."""
        match trait:
            case Trait.AGE:
                return f"{value}–{int(value) + AGE_BAND_YEARS - 1}"
            case Trait.GENDER:
                return str(words.GENDERS.get(value, value))
        return self._stages.get(value, value)
