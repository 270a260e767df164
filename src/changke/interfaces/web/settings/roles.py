"""Roles: the built-in ones as they are, the chain's own to be made and changed."""

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from changke.foundation.access.capabilities import BUILT_IN, OF_THE_CHAIN, Capability
from changke.foundation.access.models import Grant, OwnRole
from changke.foundation.access.services.grants import remove_role, save_role
from changke.foundation.errors import DomainError
from changke.interfaces import words
from changke.interfaces.capabilities import MEANINGS
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.settings.forms import RoleForm


@require_GET
@needs(Capability.ROLES_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    """What each role may do, side by side, and how often it is granted."""
    holders = dict(Grant.objects.exclude(built_in="").values_list("built_in").annotate(Count("id")).order_by())
    built_in = [(words.ROLES[role], BUILT_IN[role], holders.get(role, 0)) for role in BUILT_IN]
    context = {
        "nav": "settings",
        "built_in": built_in,
        "own": OwnRole.objects.annotate(holders=Count("grants")),
        "capabilities": [(one, MEANINGS[one], [one in held for _words, held, _n in built_in]) for one in Capability],
        "of_the_chain": OF_THE_CHAIN,
    }
    return answer(request, "settings/roles.html", context)


@require_http_methods(["GET", "POST"])
@needs(Capability.ROLES_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@needs(Capability.ROLES_MANAGE)
def edit(request: HttpRequest, role_id: int) -> HttpResponse:
    return _edit(request, get_object_or_404(OwnRole, pk=role_id))


@require_POST
@needs(Capability.ROLES_MANAGE)
def remove(request: HttpRequest, role_id: int) -> HttpResponse:
    remove_role(get_object_or_404(OwnRole, pk=role_id), giver=current.giver(request), now=timezone.now())
    toast(request, gettext("Role removed"))
    return go(request, reverse("settings-roles"))


def _edit(request: HttpRequest, role: OwnRole | None) -> HttpResponse:
    if request.method == "GET":
        initial = {"name": role.name, "capabilities": role.capabilities} if role else {}
        return _page(request, RoleForm(initial=initial), role)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            save_role(role, **form.cleaned_data, giver=current.giver(request), now=timezone.now())
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Saved"))
            return go(request, reverse("settings-roles"))
    return _page(request, form, role, status=422)


def _page(request: HttpRequest, form: RoleForm, role: OwnRole | None, status: int = 200) -> HttpResponse:
    ticked = set(form["capabilities"].value() or ())
    choices = [(one.value, MEANINGS[one], one.value in ticked, one in OF_THE_CHAIN) for one in Capability]
    context = {"nav": "settings", "form": form, "role": role, "choices": choices}
    return answer(request, "settings/role.html", context, status=status)
