"""What the settings pages take in. A form keeps the input; a refusal of the service lands beside its field."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from changke.facts.catalog.models import Category, Item
from changke.facts.customers.models import TagGroup
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Role, Sees
from changke.foundation.access.services.keys import MOST_PER_MINUTE
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Activity, Region, Store
from changke.interfaces import words
from changke.profiles.affinity.models import Occasion

COMMON_ZONES = ("Asia/Shanghai", "Asia/Urumqi", "Asia/Hong_Kong", "Asia/Macau", "Asia/Taipei", "Asia/Singapore")
WEEKDAYS = [
    ("1", _("Mon")), ("2", _("Tue")), ("3", _("Wed")), ("4", _("Thu")), ("5", _("Fri")), ("6", _("Sat")),
    ("7", _("Sun")),
]  # fmt: skip


def zones() -> list[tuple[str, str]]:
    """Every zone, those of Chinese-speaking places first."""
    rest = sorted(zone for zone in available_timezones() if "/" in zone and zone not in COMMON_ZONES)
    return [(zone, zone) for zone in (*COMMON_ZONES, *rest)]


class RefusableForm(forms.Form):
    def refuse(self, error: DomainError) -> None:
        """Show what a service refused, beside the field it names if that is on the form."""
        field = error.field if isinstance(error, Invalid) and error.field in self.fields else None
        self.add_error(field, words.refusal(error))


class StagesForm(RefusableForm):
    name = forms.CharField(max_length=120)
    silent_after_days = forms.IntegerField(min_value=1, max_value=3650)
    lost_after_days = forms.IntegerField(min_value=2, max_value=3650)
    mature_visit_days = forms.IntegerField(min_value=2, max_value=365)
    activity_kinds = forms.MultipleChoiceField(choices=Activity.choices)
    second_factor_required = forms.BooleanField(required=False)


class StoreForm(RefusableForm):
    name = forms.CharField(max_length=120)
    code = forms.CharField(max_length=60, required=False)
    region = forms.ModelChoiceField(queryset=Region.objects.order_by("name"), required=False)
    new_region = forms.CharField(max_length=120, required=False)
    time_zone = forms.ChoiceField(choices=zones)
    opening_days = forms.MultipleChoiceField(choices=WEEKDAYS)
    is_open = forms.BooleanField(required=False)


class RegionForm(RefusableForm):
    name = forms.CharField(max_length=120)
    parent = forms.ModelChoiceField(queryset=Region.objects.all(), required=False)


class RoleForm(RefusableForm):
    name = forms.CharField(max_length=60)
    capabilities = forms.MultipleChoiceField(choices=[(one.value, one.value) for one in Capability])


class GrantForm(RefusableForm):
    """Role and node are choices across two tables: `own:3`, `region:7`; nothing is the chain."""

    role = forms.CharField(max_length=80)
    node = forms.CharField(max_length=80, required=False)
    sees = forms.ChoiceField(choices=Sees.choices, required=False)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)


class StaffForm(RefusableForm):
    name = forms.CharField(max_length=120)
    username = forms.CharField(max_length=60, required=False)
    role = forms.ChoiceField(choices=Role.choices)
    stores = forms.ModelMultipleChoiceField(queryset=Store.objects.order_by("name"), required=False)
    sees = forms.ChoiceField(choices=Sees.choices, required=False)
    password = forms.CharField(max_length=200, required=False, strip=False)
    is_active = forms.BooleanField(required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        role = cleaned.get("role")
        if role in {Role.MANAGER.value, Role.STAFF.value} and not cleaned.get("stores"):
            self.add_error("stores", _("Choose the store she works in: without one she would see nobody."))
        return cleaned


class SetupForm(RefusableForm):
    chain = forms.CharField(max_length=120)
    currency = forms.ChoiceField(
        choices=[(code, code) for code in ("CNY", "HKD", "TWD", "MOP", "SGD", "USD", "GBP", "EUR")]
    )
    time_zone = forms.ChoiceField(choices=zones)
    store = forms.CharField(max_length=120)
    name = forms.CharField(max_length=120)
    username = forms.CharField(max_length=60)
    password = forms.CharField(max_length=200, strip=False)


class KeyForm(RefusableForm):
    name = forms.CharField(max_length=120)
    role = forms.ChoiceField(choices=[(role.value, role.value) for role in (Role.STAFF, Role.MANAGER, Role.HQ)])
    stores = forms.ModelMultipleChoiceField(queryset=Store.objects.order_by("name"), required=False)
    scopes = forms.MultipleChoiceField(choices=[(one.value, one.value) for one in Capability], required=False)
    networks = forms.CharField(max_length=1000, required=False)
    per_minute = forms.IntegerField(min_value=1, max_value=MOST_PER_MINUTE, required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("role") != Role.HQ.value and not cleaned.get("stores"):
            self.add_error("stores", _("Choose the stores that the key may see."))
        return cleaned


class TagWordForm(RefusableForm):
    name = forms.CharField(max_length=60)
    group = forms.ModelChoiceField(queryset=TagGroup.objects.all(), required=False)
    stale_after_days = forms.IntegerField(required=False)


class TagGroupForm(RefusableForm):
    name = forms.CharField(max_length=60)
    only_one = forms.BooleanField(required=False)


class TagRuleForm(RefusableForm):
    name = forms.CharField(max_length=60)
    occasion = forms.ChoiceField(choices=Occasion.choices)
    item = forms.ModelChoiceField(queryset=Item.objects.all(), required=False)
    category = forms.ModelChoiceField(queryset=Category.objects.all(), required=False)
    tag = forms.CharField(max_length=60)
    is_active = forms.BooleanField(required=False)
    past = forms.BooleanField(required=False)


class NeedForm(RefusableForm):
    tag = forms.CharField(max_length=60)
    item = forms.ModelChoiceField(queryset=Item.objects.all(), required=False)
    category = forms.ModelChoiceField(queryset=Category.objects.all(), required=False)


class RotateForm(RefusableForm):
    overlap_hours = forms.ChoiceField(choices=[(hours, hours) for hours in ("0", "1", "24", "168")])
