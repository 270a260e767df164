"""What she must not come into contact with: red on her page and on every form about her."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.interfaces.web import current, formats
from changke.interfaces.web.record.acts import new_allergies
from changke.interfaces.web.record.pick import pick
from changke.interfaces.web.record.setting import Setting, setting_of, show, written


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now(), Capability.CUSTOMER_EDIT)
    title = gettext("Allergy")
    if setting.customer is None:
        return pick(setting, title=title)
    if setting.posted:
        try:
            new_allergies(
                setting.customer,
                text=said(setting, setting.customer.allergies),
                store=setting.store,
                by=setting.staff,
                who=current.by(request),
                key=setting.key,
                now=setting.now,
            )
        except Invalid as refusal:
            setting.refuse(refusal)
        else:
            return written(setting, gettext("%(name)s: allergies kept.") % {"name": setting.customer}, setting.customer)
    known = setting.customer.allergies
    usual = [one for one in usual_allergens() if one not in known]
    context = {
        "text": setting.given("text", known),
        "held": setting.given("held", known),
        "usual": usual,
        "ticked": request.POST.getlist("usual"),
    }
    return show(setting, "record/_allergy.html", context, title=title)


def usual_allergens() -> list[str]:
    """What a beauty shop meets most; one tap each."""
    return [
        gettext("Alcohol"),
        gettext("Fragrance"),
        gettext("Salicylic acid"),
        gettext("Retinol"),
        gettext("Latex"),
        gettext("Metal"),
        gettext("Seafood"),
        gettext("Pollen"),
    ]


def said(setting: Setting, known: str) -> str:
    """What was ticked and what was typed, as one list. What somebody else wrote while the form lay open (`known` is not
    what it held) stays: of two who write, neither may take an allergy away."""
    ticked = [one.strip() for one in setting.request.POST.getlist("usual") if one.strip()]
    text = setting.given("text")
    held = setting.request.POST.get("held", known).strip()
    if known != held:
        added = text.removeprefix(held).strip("、,， ")
        text = formats.enumeration([one for one in (known, added) if one], get_language() or "zh-hans")
    return formats.enumeration(
        [*([text] if text else []), *(one for one in ticked if one not in text)], get_language() or "zh-hans"
    )
