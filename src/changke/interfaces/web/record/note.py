"""A note, with a photo if one was taken. Photos are shown only through here, to who may see the customer."""

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.customers.models import Note
from changke.facts.customers.queries import customer_in
from changke.foundation.access.queries import scope_of
from changke.foundation.errors import Invalid
from changke.interfaces.web import current
from changke.interfaces.web.record.acts import new_note
from changke.interfaces.web.record.pick import pick
from changke.interfaces.web.record.setting import setting_of, show, written


@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    setting = setting_of(request, timezone.now())
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


@require_GET
def photo(request: HttpRequest, note_id: int) -> HttpResponseBase:
    """The photo of a note. No address of the media folder is ever public."""
    note = Note.objects.filter(pk=note_id).exclude(photo="").first()
    if note is None:
        raise Http404
    customer_in(scope_of(current.staff(request)), note.customer_id)
    try:
        opened = note.photo.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(opened, content_type="image/jpeg")
    response["Cache-Control"] = "private, max-age=3600"
    return response
