"""The roles of one person or key: which, where, until when; given and taken back."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods, require_POST

from changke.foundation.access.capabilities import Capability
from changke.foundation.access.models import ApiKey, Grant, OwnRole, Role, Sees, Staff
from changke.foundation.access.services.grants import grant_role, take_back
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Region, Store
from changke.foundation.organisation.queries import names_of_regions, the_chain
from changke.interfaces import words
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.services import sent_once
from changke.interfaces.web.settings.forms import GrantForm


@require_http_methods(["GET", "POST"])
@needs(Capability.ROLES_MANAGE)
@sent_once
def of_staff(request: HttpRequest, staff_id: int) -> HttpResponse:
    return _of(request, get_object_or_404(Staff, pk=staff_id))


@require_http_methods(["GET", "POST"])
@needs(Capability.ROLES_MANAGE)
@sent_once
def of_key(request: HttpRequest, key_id: int) -> HttpResponse:
    return _of(request, get_object_or_404(ApiKey, pk=key_id))


@require_POST
@needs(Capability.ROLES_MANAGE)
def end(request: HttpRequest, grant_id: int) -> HttpResponse:
    """Take a role back at once."""
    grant = get_object_or_404(Grant.objects.select_related("staff", "key"), pk=grant_id)
    holder = grant.staff or grant.key
    assert holder is not None
    take_back(grant, giver=current.giver(request), now=timezone.now())
    toast(request, gettext("The role is taken back"))
    return go(request, _address(holder))


def _of(request: HttpRequest, holder: Staff | ApiKey) -> HttpResponse:
    form = GrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            grant_role(
                holder,
                role_named(given["role"]),
                node=node_named(given["node"]),
                sees=given["sees"] or Sees.HOME,
                since=beginning(given["since"]),
                until=beginning(given["until"], days=1),
                giver=current.giver(request),
                now=timezone.now(),
            )
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("The role is granted"))
            return go(request, request.path)
    now = timezone.now()
    mine = holder.grants.select_related("own_role", "region", "store", "granted_by")
    context = {
        "nav": "settings",
        "holder": holder,
        "is_key": isinstance(holder, ApiKey),
        "form": form,
        "rows": [
            (one, words.ROLES.get(one.built_in, one.own_role), words.SEES[one.sees], one.is_valid(now)) for one in mine
        ],
        "sees": [
            (key, label)
            for key, label in words.SEES.items()
            if key != Sees.ASSIGNED or isinstance(holder, Staff)  # a machine is nobody's adviser
        ],
        "roles": [(role, words.ROLES[role]) for role in Role.values]
        + [(f"own:{one.pk}", one.name) for one in OwnRole.objects.all()],
        "nodes": [(f"region:{pk}", name) for pk, name in names_of_regions().items()]
        + [(f"store:{store.pk}", store.name) for store in Store.objects.order_by("name")],
    }
    return answer(request, "settings/grants.html", context, status=422 if form.errors else 200)


def role_named(text: str) -> str | OwnRole:
    """`manager`, or `own:3`."""
    kind, _, number = text.partition(":")
    if kind != "own":
        return text
    role = OwnRole.objects.filter(pk=number).first() if number.isdecimal() else None
    if role is None:
        raise Invalid(field="role", reason="there is no such role")
    return role


def node_named(text: str) -> Region | Store | None:
    """`region:3`, `store:5`, or nothing for the chain."""
    if not text:
        return None
    kind, _, number = text.partition(":")
    model = {"region": Region, "store": Store}.get(kind)
    node = model._default_manager.filter(pk=number).first() if model and number.isdecimal() else None
    if node is None:
        raise Invalid(field="node", reason="there is no such place")
    return node  # type: ignore[return-value]  # of one of the two


def beginning(day: dt.date | None, days: int = 0) -> dt.datetime | None:
    """Midnight in the chain's zone, of the day or so many after it: a role that ends on a day holds all of that day."""
    if day is None:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=days), dt.time(), tzinfo=ZoneInfo(the_chain().time_zone))


def _address(holder: Staff | ApiKey) -> str:
    return reverse("settings-person-roles" if isinstance(holder, Staff) else "settings-key-roles", args=[holder.pk])
