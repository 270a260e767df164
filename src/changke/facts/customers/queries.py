"""Finding customers."""

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import Scope


def customer_in(scope: Scope, customer_id: int) -> Customer:
    """The customer, if the scope may see her; what is not yours to see does not exist."""
    found = Customer.objects.for_scope(scope).filter(pk=customer_id, is_active=True).first()
    if found is None:
        raise NotFound
    return found  # type: ignore[no-any-return]  # the scoped set is of customers


def by_phone(text: str) -> Customer | None:
    """Who has this phone, however it is written; None where it is no phone or nobody's."""
    try:
        e164 = rules.normal_phone(text)
    except ValueError:
        return None
    known = (
        Identifier.objects.filter(kind=IdentifierKind.PHONE, source="", value=e164).select_related("customer").first()
    )
    return known.customer if known else None


def phone_of(customer: Customer) -> str:
    """Her first phone in E.164, or an empty text."""
    known = Identifier.objects.filter(customer=customer, kind=IdentifierKind.PHONE).order_by("id").first()
    return known.value if known else ""


def phones_of(customer_ids: list[int]) -> dict[int, str]:
    """First phone by customer, for a page of them."""
    rows = Identifier.objects.filter(customer_id__in=customer_ids, kind=IdentifierKind.PHONE).order_by("-id")
    return dict(rows.values_list("customer_id", "value"))
