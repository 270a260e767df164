"""A note, with a photo if one was taken."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid
from changke.interfaces.web.record.acts import new_note
from changke.interfaces.web.record.pick import pick
from changke.interfaces.web.record.setting import setting_of, show, written


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now(), Capability.FACTS_RECORD)
    title = gettext("Note")
    if setting.customer is None:
        return pick(setting, title=title)
    if setting.posted:
        try:
            new_note(
                setting.customer,
                text=setting.given("text"),
                photo=request.FILES.get("photo") or request.FILES.get("picture"),
                store=setting.store,
                by=setting.staff,
                key=setting.key,
                now=setting.now,
            )
        except Invalid as refusal:
            setting.refuse(refusal)
        else:
            return written(setting, gettext("%(name)s: note kept.") % {"name": setting.customer}, setting.customer)
    return show(setting, "record/_note.html", {"text": setting.given("text")}, title=title)
