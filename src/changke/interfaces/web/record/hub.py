"""What can be written down, and what I wrote down today."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_GET

from changke.facts.purchases.models import Receipt
from changke.facts.purchases.queries import written_today
from changke.foundation.access.capabilities import Capability
from changke.interfaces.web.answers import answer
from changke.interfaces.web.record.pick import seen_today
from changke.interfaces.web.record.setting import Setting, card_of, setting_of
from changke.interfaces.web.record.void import told

SHOWN = 8
"""Receipts of today that can be taken back: a mistake is noticed at once, or when the drawer is counted."""


@dataclass(frozen=True)
class Written:
    """A receipt of today and what it says."""

    receipt: Receipt
    said: str


@require_GET
def show(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now(), Capability.FACTS_RECORD)
    context = {
        "nav": "record",
        "customer": card_of(setting.customer) if setting.customer else None,
        "recent": [] if setting.customer else seen_today(setting, setting.scope),
        "store": setting.store,
        "written": [] if setting.customer else [Written(one, told(one)) for one in _written(setting)],
    }
    return answer(request, "record/hub.html", context)


def _written(setting: Setting) -> list[Receipt]:
    return written_today(setting.store, now=setting.now, most=SHOWN)
