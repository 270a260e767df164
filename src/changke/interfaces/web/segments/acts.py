"""What is done with a segment: written down as a list that stays, or dropped."""

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces import words as said_words
from changke.interfaces.web import current
from changke.interfaces.web.answers import go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.segments.common import there
from changke.profiles.segments.services.save import drop_segment, freeze


@require_POST
@needs(Capability.SEGMENTS_MANAGE)
def frozen(request: HttpRequest, key: str) -> HttpResponse:
    """Who is in it now, as a list under the name that was typed, or the segment's own with the day."""
    one, now = there(key), timezone.now()
    name = request.POST.get("name", "").strip() or f"{one.name[:40]} {timezone.localdate().isoformat()}"
    try:
        made = freeze(name=name, text=f"segment has {one.key}", by=current.by(request), now=now)
    except DomainError as refusal:
        toast(request, said_words.refusal(refusal), bad=True)
        return go(request, reverse("segment", args=[key]))
    toast(request, gettext("Frozen: the list stays as it is now."))
    return go(request, reverse("segment", args=[made.key]))


@require_POST
@needs(Capability.SEGMENTS_MANAGE)
def drop(request: HttpRequest, key: str) -> HttpResponse:
    one = there(key)
    try:
        drop_segment(one, by=current.by(request), now=timezone.now())
    except DomainError as refusal:
        toast(request, said_words.refusal(refusal), bad=True)
        return go(request, reverse("segment", args=[key]))
    toast(request, gettext("The segment is gone. Its customers stay."))
    return go(request, reverse("segments"))
