"""What the shell around every page shows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.queries import allows
from changke.foundation.instance.queries import sending_paused
from changke.interfaces import words
from changke.interfaces.web import current, navigation
from changke.interfaces.web.login import bound

LANGUAGES = (("zh-hans", "简体中文"), ("zh-hant", "繁體中文"), ("en", "English"))
"""Each language in its own words: who cannot read the page must still find the way back."""


def shell(request: HttpRequest) -> dict[str, Any]:
    common = {"languages": LANGUAGES, "chain": getattr(request, "chain", None), "version": settings.VERSION}
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return common
    user = current.staff(request)
    why = sending_paused() if allows(user, Capability.BACKUP_RUN) else None
    return common | {
        "staff": user,
        "bound_device": bound.device(request),
        "role_words": words.ROLES[user.role],
        "may": {one.value.replace(".", "_"): allows(user, one) for one in Capability},
        "sending_paused": words.SENDING_PAUSED[why] if why else "",
        "side_nav": navigation.side(user),
        "phone_nav": navigation.phone(user),
        "stores": current.stores(request),
        "chosen_store": current.chosen_store(request),
    }
