"""What the items of a request name (stores, staff, items), looked up by one statement each."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext_noop

from changke.facts.catalog.models import Item
from changke.foundation.access.models import Staff
from changke.foundation.organisation.models import Chain, Store
from changke.foundation.organisation.scope import Scope
from changke.interfaces.api.errors import ApiError


class Unknown(ApiError):
    """Something that an item names is not there."""

    status = 404


class UnknownStore(Unknown):
    code = "unknown_store"
    message = "There is no store with the code %(value)s, or it is not yours."
    remedy = gettext_noop("GET /api/v1/stores lists the stores and their codes.")


class UnknownStaff(Unknown):
    code = "unknown_staff"
    message = "There is nobody of the staff with the code %(value)s."
    remedy = gettext_noop("GET /api/v1/staff lists them; leave the field out if nobody served her.")


class UnknownItem(Unknown):
    code = "unknown_item"
    message = "The catalogue has no item with the code %(value)s."
    remedy = gettext_noop(
        "Add it to the catalogue (POST /api/v1/items), or send `description` and `kind` of the line instead of `item`."
    )


class OtherCurrency(ApiError):
    code, status = "other_currency", 422
    message = "This chain keeps its books in %(currency)s."
    remedy = gettext_noop("One installation has one currency: convert before you send.")


class Named:
    """Things by their codes. Asking for one that is not there raises the refusal that says where to find it."""

    missing: ClassVar[dict[str, type[Unknown]]] = {"store": UnknownStore, "staff": UnknownStaff, "item": UnknownItem}

    def __init__(
        self,
        chain: Chain,
        scope: Scope,
        *,
        stores: Iterable[str | None] = (),
        staff: Iterable[str | None] = (),
        items: Iterable[str | None] = (),
    ) -> None:
        self.chain = chain
        self._found: dict[str, dict[str, Any]] = {
            "store": {one.code: one for one in Store.objects.for_scope(scope).filter(code__in=set(stores) - {None})},
            "staff": {},
            "item": {},
        }
        if codes := set(staff) - {None}:
            self._found["staff"] = {one.code: one for one in Staff.objects.filter(code__in=codes).order_by("-pk")}
        if codes := set(items) - {None}:
            found = Item.objects.select_related("category").filter(code__in=codes)
            self._found["item"] = {one.code: one for one in found}

    def store(self, code: str) -> Store:
        found: Store = self._get("store", code)
        return found

    def staff_id(self, code: str | None) -> int | None:
        if code is None:
            return None
        found: Staff = self._get("staff", code)
        return found.pk

    def item(self, code: str | None) -> Item | None:
        if code is None:
            return None
        found: Item = self._get("item", code)
        return found

    def check_currency(self, currency: str | None) -> None:
        if currency is not None and currency != self.chain.currency:
            raise OtherCurrency(currency=self.chain.currency)

    def _get(self, kind: str, code: str) -> Any:
        try:
            return self._found[kind][code]
        except KeyError:
            raise self.missing[kind](value=code) from None
