"""One item: added, and changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from changke.facts.catalog.models import Category, Item
from changke.facts.catalog.rules import percent
from changke.facts.catalog.services.keep import add_item, change_item
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces import words
from changke.interfaces.web import current, formats
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.items.forms import ItemForm, held, refuse, shown


@require_http_methods(["GET", "POST"])
@needs(Capability.CATALOG_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, ItemForm(initial={"kind": "service", "used": "1"}), None)
    form = ItemForm(request.POST)
    if form.is_valid() and (values := form.values()) and not form.errors:
        code = form.cleaned_data["code"].strip() or form.cleaned_data["name"][:80]
        try:
            add_item(code=code, **values, by=current.by(request), now=timezone.now())  # type: ignore[arg-type]
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Item added"))
            return go(request, reverse("items"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.CATALOG_MANAGE)
def change(request: HttpRequest, item_id: int) -> HttpResponse:
    item = get_object_or_404(Item.objects.select_related("category"), pk=item_id)
    if request.method == "GET":
        return _page(request, ItemForm(initial=held(item)), item)
    form = ItemForm(request.POST)
    if form.is_valid():
        values, seen = form.touched(request.POST)
        if not form.errors:
            try:
                change_item(item.pk, values, seen=seen, by=current.by(request), now=timezone.now())
            except DomainError as refused:
                refuse(form, refused, item)
            else:
                toast(request, gettext("Saved. It counts for receipts from now on."))
                return go(request, reverse("items"))
    return _page(request, form, item, status=422)


def _page(request: HttpRequest, form: ItemForm, item: Item | None, status: int = 200) -> HttpResponse:
    context = {
        "nav": "settings",
        "item": item,
        "symbol": formats.symbol(formats.currency.get()),
        "kinds": list(words.ITEM_KINDS.items()),
        "categories": [(one.pk, _said(one)) for one in Category.objects.order_by("name")],
        **shown(form, item, held(item)),
    }
    return answer(request, "items/item.html", context, status=status)


def _said(one: Category) -> str:
    if one.margin_basis_points is None:
        return one.name
    return gettext("%(name)s (margin %(percent)s%%)") % {"name": one.name, "percent": percent(one.margin_basis_points)}
