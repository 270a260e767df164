"""Fields, values and changes of many customers in the reader's words."""

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.foundation.access.models import Staff
from changke.foundation.organisation.models import Store
from changke.interfaces import words
from changke.interfaces.bulk.change import COLUMNS, Wish

FIELD_OF = {column: name for name, column in COLUMNS.items()}
FIELDS: dict[str, str | Promise] = {
    "adviser": _("Adviser"),
    "home_store": _("Home store"),
    "gender": _("Gender"),
    "occupation": _("Occupation"),
    "income_band": _("Income"),
    "city": _("City or address"),
    "interests": _("Interests"),
    "living": _("Household"),
    "source": _("Source"),
    "name": pgettext_lazy("person", "Name"),
    "allergies": _("Allergies"),
    "birth_year": _("Birthday"),
    "birth_month": _("Birthday"),
    "birth_day": _("Birthday"),
    "known_on": _("Customer since"),
}
OUTCOMES: dict[str, str | Promise] = {
    "changed": _("changed"),
    "same": _("had it already"),
    "gone": _("no longer a customer"),
}


def field(name: str) -> str:
    return str(FIELDS.get(FIELD_OF.get(name, name), name))


def outcome(code: str) -> str:
    return str(OUTCOMES.get(code, ""))


def value(column: str, held: object) -> str:
    """A value as the page says it; a dash where nothing stands there."""
    if held is None or held == "":
        return "–"
    if column == "home_store_id":
        return _store_name(int(str(held)))
    if column == "adviser_id":
        return _staff_name(int(str(held)))
    if column == "gender":
        return str(words.GENDERS.get(str(held), held))
    return str(held)


def _store_name(pk: int) -> str:
    return Store.objects.filter(pk=pk).values_list("name", flat=True).first() or f"#{pk}"


def _staff_name(pk: int) -> str:
    return Staff.objects.filter(pk=pk).values_list("name", flat=True).first() or f"#{pk}"


def wish(asked: Wish) -> list[str]:
    """What is asked for, one sentence each."""
    said = []
    for name, text in asked.set.items():
        column = COLUMNS.get(name, name)
        if text:
            said.append(gettext("%(field)s becomes %(value)s") % {"field": field(name), "value": value(column, text)})
        else:
            said.append(gettext("%(field)s is cleared") % {"field": field(name)})
    said += [gettext("tag “%(tag)s” is put on") % {"tag": tag} for tag in asked.add_tags]
    said += [gettext("tag “%(tag)s” is taken off") % {"tag": tag} for tag in asked.remove_tags]
    return said


def title(asked: Wish, count: int) -> str:
    what = pgettext("between changes", ", ").join(wish(asked))
    many = ngettext("%(count)s customer", "%(count)s customers", count) % {"count": count}
    return gettext("%(what)s (%(many)s)") % {"what": what, "many": many}
