"""The shell's own pages and switches: me, language, store, the search of the top bar."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import check_for_language, gettext, ngettext
from django.views.decorators.http import require_GET, require_POST

from changke.foundation.access import services
from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Staff
from changke.foundation.access.queries import scope_of
from changke.foundation.instance.services import confirm
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.login.where import safe_next

A_YEAR_SECONDS = 365 * 24 * 3600


@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """The search of the top bar is the customer list's search."""
    query = request.GET.urlencode()
    return redirect(f"{reverse('customers')}?{query}" if query else reverse("customers"))


@require_GET
def me(request: HttpRequest) -> HttpResponse:
    stores = current.stores(request)
    words = (
        gettext("Sees the whole chain")
        if scope_of(current.staff(request)).whole_chain
        else ngettext("%(count)s store", "%(count)s stores", len(stores)) % {"count": len(stores)}
    )
    return answer(request, "shell/me.html", {"nav": "me", "stores_words": words})


@require_POST
@login_not_required
def choose_language(request: HttpRequest) -> HttpResponse:
    """Kept with the person, and in a cookie for the log-in page and for who has no account yet."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES) or not check_for_language(language):
        raise Http404
    if isinstance(request.user, Staff):
        services.choose_language(request.user, language)
    response = redirect(safe_next(request))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=A_YEAR_SECONDS,
        samesite="Lax",
        secure=settings.SESSION_COOKIE_SECURE,
    )
    return response


@require_POST
@needs(Capability.BACKUP_RUN)
def confirm_sending(request: HttpRequest) -> HttpResponse:
    """This restored or copied installation is the one in use."""
    if confirm(by=current.by(request), now=timezone.now()):
        toast(request, gettext("Confirmed. This installation may write to customers."))
    return redirect(safe_next(request))


@require_POST
def choose_store(request: HttpRequest) -> HttpResponse:
    wanted = request.POST.get("store", "")
    if not wanted:
        request.session.pop(current.SESSION_KEY, None)
    elif wanted in {str(store.pk) for store in current.stores(request)}:
        request.session[current.SESSION_KEY] = int(wanted)
    else:
        raise Http404
    return redirect(safe_next(request))
