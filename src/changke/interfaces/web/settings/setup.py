"""The first page of an empty installation: the chain, its first store, its owner. Open until somebody can log in."""

from django.contrib.auth.decorators import login_not_required
from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from changke.foundation.access.models import Role, Staff
from changke.foundation.access.services import add_staff
from changke.foundation.audit.rules import By
from changke.foundation.errors import DomainError
from changke.foundation.organisation.services import add_store, found_chain
from changke.interfaces import requests
from changke.interfaces.web.answers import answer
from changke.interfaces.web.login.enter import enter
from changke.interfaces.web.settings.forms import COMMON_ZONES, SetupForm, zones


class FoundedElsewhere(DomainError):
    """Whoever opens the first page owns the chain: over the network that could be a stranger."""

    code, status = "founded_elsewhere", 403
    message = (
        "This installation is still empty. Found the chain on its own machine: open the page there, or “changke found”."
    )


@login_not_required
@require_http_methods(["GET", "POST"])
def first_page(request: HttpRequest) -> HttpResponse:
    if Staff.objects.exists():
        return redirect("login")
    if not requests.from_this_machine(request):
        raise FoundedElsewhere
    form = SetupForm(request.POST or None, initial={"currency": "CNY", "time_zone": "Asia/Shanghai"})
    if request.method == "POST" and form.is_valid():
        try:
            owner = _found(request, form)
        except DomainError as refused:
            form.refuse(refused)
        else:
            if owner is None:
                return redirect("login")
            enter(request, owner)
            return redirect("/")
    context = {
        "form": form,
        "zones": zones()[: len(COMMON_ZONES)],
        "currencies": SetupForm.base_fields["currency"].choices,  # type: ignore[attr-defined]
    }
    return answer(request, "settings/setup.html", context, status=422 if form.errors else 200)


@transaction.atomic
def _found(request: HttpRequest, form: SetupForm) -> Staff | None:
    """Chain, store and owner, all or nothing; None where somebody else was faster."""
    given = form.cleaned_data
    with connection.cursor() as sql:
        sql.execute("SELECT pg_advisory_xact_lock(hashtext('setup'))")
    if Staff.objects.exists():
        return None
    by, now = By("system", None, given["name"], requests.address(request), requests.request_id(request)), timezone.now()
    found_chain(name=given["chain"], currency=given["currency"], time_zone=given["time_zone"], by=by, now=now)
    store = add_store(code="1", name=given["store"], time_zone=given["time_zone"], by=by, now=now)
    return add_staff(
        username=given["username"],
        name=given["name"],
        role=Role.OWNER,
        password=given["password"],
        stores=[store],
        by=by,
        now=now,
    )
