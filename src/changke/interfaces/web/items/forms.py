"""What the pages of the catalogue take in. A form keeps the input, and what the fields held when it was opened."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import get_language, gettext

from changke.facts.catalog import rules
from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.services.keep import ChangedMeanwhile, as_audited
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.money import to_minor
from changke.interfaces import audited_words, words
from changke.interfaces.web import formats
from changke.interfaces.web.record.drafts import typed
from changke.interfaces.web.settings.forms import RefusableForm

COLUMNS = {"price": "price_minor", "cost": "unit_cost_minor", "cycle": "usual_cycle_days", "used": "is_active"}
"""Field of a form -> column of the item, where they differ."""
FIELDS = {column: name for name, column in COLUMNS.items()}


class CatalogueForm(RefusableForm):
    """Fields as texts; `values` reads them. What stands in `held_NAME` is what NAME held when the form was opened."""

    plain: tuple[str, ...] = ()

    def values(self) -> dict[str, object]:
        """What is typed, as the services take it, by column; what cannot be read is an error beside its field."""
        found = {}
        for name in self.plain:
            try:
                found[COLUMNS.get(name, name)] = read(name, self.cleaned_data.get(name))
            except Invalid as refused:
                self.add_error(name, words.refusal(refused))
        return found

    def touched(self, sent: QueryDict) -> tuple[dict[str, object], dict[str, object]]:
        """Of `values` those that somebody changed, and what they held before: what was left alone must not write over
        what somebody else changed meanwhile."""
        seen: dict[str, object] = {}
        for name in self.plain:
            if f"held_{name}" in sent:
                try:
                    seen[COLUMNS.get(name, name)] = read(name, _of_text(name, str(sent[f"held_{name}"])))
                except Invalid:
                    continue
        values = self.values()
        return {name: value for name, value in values.items() if name not in seen or seen[name] != value}, seen

    def refuse(self, error: DomainError) -> None:
        """Beside its field, under the name that the form has for it."""
        if isinstance(error, Invalid) and (name := FIELDS.get(error.field, error.field)) in self.fields:
            self.add_error(name, words.refusal(error))
            return
        super().refuse(error)


def refuse(form: CatalogueForm, error: DomainError, one: Item | Category) -> None:
    """Say it on the form; of what somebody else changed meanwhile also what stands there now. `one` as it stands now:
    whoever saves again has seen that."""
    one.refresh_from_db()
    if not isinstance(error, ChangedMeanwhile):
        form.refuse(error)
        return
    stands = as_audited(one)
    names = ["item_kind" if name == "kind" else name for name in error.fields]
    there = audited_words.Names(categories=dict(Category.objects.values_list("pk", "name")))
    said = [f"{audited_words.label(name)} {audited_words.value(name, stands[name], there)}" for name in names]
    template = gettext(
        "Meanwhile somebody else changed this; there stands now: %(now)s. Save again to have yours instead."
    )
    form.add_error(None, template % {"now": formats.enumeration(said, get_language() or "zh-hans")})


class ItemForm(CatalogueForm):
    plain = ("name", "kind", "category", "price", "cost", "cycle", "used")
    code = forms.CharField(max_length=rules.LONGEST_CODE, required=False)
    name = forms.CharField(max_length=rules.LONGEST_NAME)
    kind = forms.ChoiceField(choices=[(kind, kind) for kind in rules.KINDS])
    category = forms.ModelChoiceField(queryset=Category.objects.order_by("name"), required=False)
    price = forms.CharField(max_length=40, required=False)
    cost = forms.CharField(max_length=40, required=False)
    cycle = forms.CharField(max_length=10, required=False)
    used = forms.BooleanField(required=False)


class CategoryForm(CatalogueForm):
    plain = ("name", "margin")
    name = forms.CharField(max_length=rules.LONGEST_CATEGORY)
    margin = forms.CharField(max_length=20, required=False)

    def values(self) -> dict[str, object]:
        found = super().values()
        return {"margin_basis_points" if name == "margin" else name: value for name, value in found.items()}

    def touched(self, sent: QueryDict) -> tuple[dict[str, object], dict[str, object]]:
        values, seen = super().touched(sent)
        return values, {"margin_basis_points" if name == "margin" else name: value for name, value in seen.items()}


def read(name: str, text: Any) -> object:
    """A typed field as the services take it. Raises Invalid."""
    if name in ("price", "cost"):
        return money(text, COLUMNS[name])
    if name == "cycle":
        return days(text)
    if name == "margin":
        return rules.basis_points(text)
    if name == "used":
        return bool(text)
    return text


def money(text: Any, field: str) -> int | None:
    plain = str(text or "").strip().replace(",", "").replace("，", "").lstrip("¥￥")
    if not plain:
        return None
    try:
        return to_minor(plain, formats.currency.get())
    except ValueError:
        raise Invalid(field=field, reason="write the amount as a number, such as 288 or 12.50") from None


def days(text: Any) -> int | None:
    plain = str(text or "").strip()
    if not plain:
        return None
    if not (plain.isascii() and plain.isdigit()):
        raise Invalid(
            field="usual_cycle_days", reason="a whole number of days between %(least)s and %(most)s", least=1,
            most=rules.LONGEST_CYCLE_DAYS,
        )  # fmt: skip
    return int(plain)


def held(one: Item | Category | None) -> dict[str, str]:
    """What the fields hold now, as texts."""
    if one is None:
        return {}
    if isinstance(one, Category):
        return {"name": one.name, "margin": rules.percent(one.margin_basis_points)}
    currency = formats.currency.get()
    return {
        "name": one.name,
        "kind": one.kind,
        "category": str(one.category_id or ""),
        "price": "" if one.price_minor is None else typed(one.price_minor, currency),
        "cost": "" if one.unit_cost_minor is None else typed(one.unit_cost_minor, currency),
        "cycle": str(one.usual_cycle_days or ""),
        "used": "1" if one.is_active else "",
    }


def _of_text(name: str, text: str) -> object:
    if name == "category":
        known = text.isascii() and text.isdigit() and len(text) < 19
        return Category.objects.filter(pk=int(text)).first() if known else None
    return text


def shown(form: CatalogueForm, one: Item | Category | None, stands: Mapping[str, str]) -> dict[str, Any]:
    """What a page needs of the form: typed values, errors, what is kept as held, and what stands there otherwise."""
    return {
        "form": form,
        "typed": {name: form[name].value() or "" for name in form.fields},
        "errors": {name: form.errors[name][0] for name in form.errors if name in form.fields},
        "held": stands,
        "one": one,
    }
