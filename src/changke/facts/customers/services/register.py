"""A new customer, by hand."""

import datetime as dt
from collections.abc import Mapping

from django.db import IntegrityError, transaction
from django.db.models import Q

from changke.facts.customers import rules
from changke.facts.customers.models import Customer, Identifier, IdentifierKind
from changke.facts.customers.queries import finding
from changke.facts.customers.services.names import NewName, write
from changke.foundation.access.models import Staff
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.database.append_only import current_xid
from changke.foundation.database.rows_seen import seeing
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date


class PhoneKnown(DomainError):
    code, status = "phone_known", 409
    message = "This phone already belongs to %(name)s. Open her page, or say that both use it."

    def __init__(self, *, name: str, customer_id: int) -> None:
        self.customer_id = customer_id
        super().__init__(name=name)


CODES = ("source", "home_store", "adviser")
"""Fields that stand in an audit line as they are: they say where she belongs, not who she is."""

PROFILE_FIELDS = frozenset(
    {"gender", "birth_year", "birth_month", "birth_day", "occupation", "income_band", "city", "interests", "living"}
    | {"allergies"}
)


@seeing(CHAIN_WIDE)
@transaction.atomic
def register(
    *,
    name: str,
    phone: str = "",
    email: str = "",
    source: str = "",
    home_store: Store,
    adviser: Staff | None = None,
    profile: Mapping[str, object] | None = None,
    share: bool = False,
    by: By = HOUSE,
    now: dt.datetime,
) -> Customer:
    """Write down a person the chain has not met before. Name or phone must be given; a known phone is refused, unless
    it is said that she is another who uses it too (`share`): then it is kept as hers and goes on finding the first."""
    plain = rules.clean_name(name)
    if not plain and not phone.strip():
        raise Invalid(field="name", reason="give a name or a phone, so that she can be found again")
    if unknown := set(profile or {}) - PROFILE_FIELDS:
        raise Invalid(field=sorted(unknown)[0], reason="not a field of the profile")
    identifiers = dict(_identifiers(phone, email))
    stranger = Customer()
    customer = _hidden(identifiers) or stranger
    known = {
        "name": plain,
        "pinyin": rules.pinyin(plain),
        "initials": rules.initials(plain),
        "name_grams": rules.grams(plain),
        "source": source.strip(),
        "home_store": home_store,
        "adviser": adviser,
        "known_on": business_date(now, home_store.time_zone),
        "is_active": True,
        "batch": None,
        "recorded_at": now,
        **{field: getattr(stranger, field) for field in PROFILE_FIELDS},
        **(profile or {}),
    }
    for field, value in known.items():
        setattr(customer, field, value)
    check_birthday(customer, today=customer.known_on)
    if customer.pk is None:
        customer.save()
    else:
        customer.txid = current_xid()  # type: ignore[assignment]  # the database fills it in
        customer.save()
        customer.refresh_from_db(fields=["txid"])
    for kind, value in identifiers.items():
        _name(customer, kind, value, share=share)
    said = {"name": plain, "source": known["source"], "home_store": home_store.pk, "adviser": adviser and adviser.pk}
    record(
        by=by,
        action="customer.registered",
        subject=f"customer:{customer.pk}",
        customer_id=customer.pk,
        codes=CODES,
        after={field: value for field, value in {**said, **(profile or {})}.items() if value not in ("", None)},
        now=now,
    )
    return customer


def _name(customer: Customer, kind: IdentifierKind, value: str, *, share: bool) -> None:
    """Write the identifier unless it is hers already. Asked first: while the key is being changed, the unique index
    alone does not know a value that stands under the former key."""
    holders = Identifier.objects.filter(finding(kind, value)).select_related("customer")
    holder = holders.first()
    if holder is None:
        try:
            with transaction.atomic():
                write([NewName(customer.pk, kind, value)])
            return
        except IntegrityError:
            holder = holders.get()
    if holder.customer_id != customer.pk and share and holder.customer.is_active:
        write([NewName(customer.pk, kind, value, shared=True)])
    elif holder.customer_id != customer.pk:
        other = holder.customer.merged_into or holder.customer
        raise PhoneKnown(name=other.name or f"#{other.pk}", customer_id=other.pk)


def _hidden(identifiers: Mapping[IdentifierKind, str]) -> Customer | None:
    """Whom only an undone batch knew, under this phone or address: she is met anew. Otherwise her number would be taken
    for ever, by somebody whom no page shows."""
    names = Q()
    for kind, value in identifiers.items():
        names |= finding(kind, value)
    owners = Identifier.objects.filter(names).values("customer") if names else Identifier.objects.none()
    hidden = Customer.objects.select_for_update().filter(
        pk__in=owners.values("customer"), is_active=False, merged_into__isnull=True
    )
    return hidden.order_by("pk").first()


def _identifiers(phone: str, email: str) -> list[tuple[IdentifierKind, str]]:
    found = []
    for kind, text, normal in (
        (IdentifierKind.PHONE, phone, rules.normal_phone),
        (IdentifierKind.EMAIL, email, rules.normal_email),
    ):
        if text.strip():
            try:
                found.append((kind, normal(text)))
            except ValueError as error:
                raise Invalid(field=kind.value, reason=str(error)) from None
    return found


def check_birthday(customer: Customer, *, today: dt.date) -> None:
    """A birthday may lack its year, not its month; 30 February and a birth in the future are refused."""
    year, month, day = customer.birth_year, customer.birth_month, customer.birth_day
    if year is not None and not 1900 <= year <= today.year:
        raise Invalid(field="birth_year", reason="must lie between 1900 and this year")
    if (month is None) != (day is None):
        raise Invalid(field="birth_day", reason="give month and day, or neither")
    if month is not None and day is not None:
        try:
            born = dt.date(year or 2000, month, day)
        except ValueError:
            raise Invalid(field="birth_day", reason="there is no such day") from None
        if year and born > today:
            raise Invalid(field="birth_day", reason="lies in the future")
