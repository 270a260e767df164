"""Who works here, in which role, in which stores."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import Role, Sees, Staff
from changke.foundation.access.queries import allows, require_above
from changke.foundation.access.services import add_staff, change_staff
from changke.foundation.errors import DomainError
from changke.foundation.login.queries import second_factor_of
from changke.foundation.organisation.models import Store
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import StaffForm


@require_GET
@needs(Capability.STAFF_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    people = Staff.objects.prefetch_related("stores").order_by("-is_active", "role", "name")
    rows = [(one, words.ROLES[one.role]) for one in people]
    return answer(request, "settings/staff.html", {"nav": "settings", "rows": rows})


@require_http_methods(["GET", "POST"])
@needs(Capability.STAFF_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, StaffForm(initial={"role": Role.STAFF, "is_active": True}), None)
    form = StaffForm(request.POST)
    if form.is_valid() and not (form.cleaned_data["username"] and form.cleaned_data["password"]):
        form.add_error("username", gettext("Give a user name and a first password."))
    if form.is_valid():
        given = form.cleaned_data
        may_change(request, None, given["role"])
        try:
            add_staff(
                username=given["username"],
                name=given["name"],
                role=given["role"],
                password=given["password"],
                stores=given["stores"],
                sees=given["sees"] or Sees.HOME,
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Added. She can log in now."))
            return go(request, reverse("settings-staff"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.STAFF_MANAGE)
def edit(request: HttpRequest, staff_id: int) -> HttpResponse:
    person = get_object_or_404(Staff, pk=staff_id)
    if request.method == "GET":
        initial = {field: getattr(person, field) for field in ("name", "username", "role", "sees", "is_active")}
        initial["stores"] = list(person.stores.values_list("pk", flat=True))
        return _page(request, StaffForm(initial=initial), person)
    form = StaffForm(request.POST)
    if form.is_valid():
        given = form.cleaned_data
        may_change(request, person, given["role"])
        try:
            change_staff(
                person,
                name=given["name"],
                role=given["role"],
                stores=given["stores"],
                sees=given["sees"] or None,
                is_active=given["is_active"],
                password=given["password"] or None,
                by=current.by(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-staff"))
    return _page(request, form, person, status=422)


def may_change(request: HttpRequest, person: Staff | None, role: str = "") -> None:
    """Nobody gives a position that may more than he, and nobody changes somebody who may more."""
    require_above(current.staff(request), person, role)


def _page(request: HttpRequest, form: StaffForm, person: Staff | None, status: int = 200) -> HttpResponse:
    mine = {str(one) for one in form["stores"].value() or []}
    stores = [(store, str(store.pk) in mine) for store in Store.objects.order_by("name")]
    roles = [(key, label) for key, label in words.ROLES.items()]
    context = {"nav": "settings", "form": form, "person": person, "stores_here": stores, "roles": roles}
    context["sees"] = list(words.SEES.items())
    if person is not None:
        owner = allows(current.staff(request), Capability.ROLES_MANAGE) and person.pk != current.staff(request).pk
        context["may_reset_code"] = owner and second_factor_of(person) is not None
    return answer(request, "settings/person.html", context, status=status)
