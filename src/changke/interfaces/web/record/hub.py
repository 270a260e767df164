"""What can be written down, and what I wrote down today."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.interfaces.web.answers import answer
from changke.interfaces.web.record.pick import seen_today
from changke.interfaces.web.record.setting import card_of, setting_of


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now())
    context = {
        "nav": "record",
        "customer": card_of(setting.customer) if setting.customer else None,
        "recent": [] if setting.customer else seen_today(setting, setting.scope),
        "store": setting.store,
    }
    return answer(request, "record/hub.html", context)
