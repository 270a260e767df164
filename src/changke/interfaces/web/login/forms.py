"""What the doors take in. Passwords are never shown again, so they are the one input a form does not keep."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from changke.foundation.organisation.models import Store
from changke.interfaces.web.settings.forms import RefusableForm

LONGEST_PASSWORD = 200


class LogInForm(forms.Form):
    username = forms.CharField(max_length=60)
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)


class NewPasswordForm(RefusableForm):
    password = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)
    again = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("password") and cleaned.get("again") and cleaned["password"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned


class OwnPasswordForm(NewPasswordForm):
    present = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)


class CodeForm(RefusableForm):
    code = forms.CharField(max_length=40)


class BindForm(RefusableForm):
    store = forms.ModelChoiceField(queryset=Store.objects.none())
    name = forms.CharField(max_length=60)


class PinForm(RefusableForm):
    pin = forms.CharField(max_length=6)


class OwnPinForm(RefusableForm):
    present = forms.CharField(max_length=LONGEST_PASSWORD, strip=False)
    pin = forms.CharField(max_length=6)
    again = forms.CharField(max_length=6)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if cleaned.get("pin") and cleaned.get("again") and cleaned["pin"] != cleaned["again"]:
            self.add_error("again", _("The two are not the same."))
        return cleaned
