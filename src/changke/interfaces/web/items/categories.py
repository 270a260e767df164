"""Categories and the margin of each: it counts for items without a cost of their own."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods

from changke.facts.catalog.models import Category
from changke.facts.catalog.queries import categories_held
from changke.facts.catalog.rules import percent
from changke.facts.catalog.services.keep import add_category, change_category
from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import DomainError
from changke.interfaces.web import current
from changke.interfaces.web.answers import answer, go, toast
from changke.interfaces.web.doors import needs
from changke.interfaces.web.items.forms import CategoryForm, held, refuse, shown
from changke.interfaces.web.items.lists import counts


@require_GET
@needs(Capability.CATALOG_MANAGE)
def show(request: HttpRequest) -> HttpResponse:
    rows = [(one, percent(one.category.margin_basis_points)) for one in categories_held()]
    return answer(request, "items/categories.html", {"nav": "settings", "rows": rows, **counts()})


@require_http_methods(["GET", "POST"])
@needs(Capability.CATALOG_MANAGE)
def add(request: HttpRequest) -> HttpResponse:
    if request.method == "GET":
        return _page(request, CategoryForm(), None)
    form = CategoryForm(request.POST)
    if form.is_valid() and (values := form.values()) and not form.errors:
        try:
            add_category(**values, by=current.by(request), now=timezone.now())  # type: ignore[arg-type]
        except DomainError as refused:
            form.refuse(refused)
        else:
            toast(request, gettext("Category added"))
            return go(request, reverse("categories"))
    return _page(request, form, None, status=422)


@require_http_methods(["GET", "POST"])
@needs(Capability.CATALOG_MANAGE)
def change(request: HttpRequest, category_id: int) -> HttpResponse:
    category = get_object_or_404(Category, pk=category_id)
    if request.method == "GET":
        return _page(request, CategoryForm(initial=held(category)), category)
    form = CategoryForm(request.POST)
    if form.is_valid():
        values, seen = form.touched(request.POST)
        if not form.errors:
            try:
                change_category(category.pk, values, seen=seen, by=current.by(request), now=timezone.now())
            except DomainError as refused:
                refuse(form, refused, category)
            else:
                toast(request, gettext("Saved. It counts for receipts from now on."))
                return go(request, reverse("categories"))
    return _page(request, form, category, status=422)


def _page(request: HttpRequest, form: CategoryForm, category: Category | None, status: int = 200) -> HttpResponse:
    context = {"nav": "settings", "category": category, **shown(form, category, held(category))}
    return answer(request, "items/category.html", context, status=status)
