"""Staff: who works here, with which role, in which stores."""

import datetime as dt
from collections.abc import Iterable

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from changke.foundation.access.models import Role, Sees, Staff
from changke.foundation.access.services.grants import another_owner, known_sees, stand
from changke.foundation.audit.rules import HOUSE, By
from changke.foundation.audit.services import record
from changke.foundation.errors import DomainError, Invalid
from changke.foundation.organisation.models import Store


class UsernameTaken(DomainError):
    code, status = "username_taken", 409
    message = "There is already somebody with the log-in name %(username)s."


def add_staff(
    *,
    username: str,
    name: str,
    role: str = Role.STAFF,
    password: str | None = None,
    stores: Iterable[Store] = (),
    sees: str = Sees.HOME,
    code: str = "",
    phone: str = "",
    is_active: bool = True,
    by: By = HOUSE,
    now: dt.datetime,
) -> Staff:
    """Somebody who works here. Without a password nobody can log in under the name."""
    if role not in Role.values:
        raise Invalid(field="role", reason="choose one of %(choices)s", choices=", ".join(Role.values))
    person = Staff(
        username=username.strip(),
        name=name.strip(),
        role=role,
        sees=sees,
        code=code,
        phone=phone,
        is_active=is_active,
        created_at=now,
    )
    known_sees(sees, person)
    if password is not None:
        check_new_password(password, person)
    person.password = make_password(password)
    try:
        with transaction.atomic():
            person.save()
            person.stores.set(stores := list(stores))
            stand(person, role, stores, sees)
            record(by=by, action="staff.added", subject=f"staff:{person.pk}", after=as_audited(person), now=now)
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    return person


@transaction.atomic
def change_staff(
    person: Staff,
    *,
    name: str | None = None,
    role: str | None = None,
    stores: Iterable[Store] | None = None,
    sees: str | None = None,
    is_active: bool | None = None,
    password: str | None = None,
    by: By = HOUSE,
    now: dt.datetime,
) -> Staff:
    """Change what is given. Her standing grants follow role and stores; what was granted besides stays. A new
    password is told, never what it is."""
    before = as_audited(person)
    losing_keys = (role is not None and role != Role.OWNER) or is_active is False
    if person.role == Role.OWNER and losing_keys:
        another_owner(besides=person)
    if role is not None and role not in Role.values:
        raise Invalid(field="role", reason="choose one of %(choices)s", choices=", ".join(Role.values))
    person.name = person.name if name is None else name.strip()
    person.role = person.role if role is None else role
    person.sees = person.sees if sees is None else sees
    known_sees(person.sees, person)
    person.is_active = person.is_active if is_active is None else is_active
    if password:
        check_new_password(password, person)
        person.password = make_password(password)
    person.save()
    if stores is not None:
        person.stores.set(stores)
    if role is not None or stores is not None or sees is not None:
        stand(person, person.role, person.stores.all(), person.sees)
    after = as_audited(person) | ({"password": "changed"} if password else {})
    record(by=by, action="staff.changed", subject=f"staff:{person.pk}", before=before, after=after, now=now)
    return person


def as_audited(person: Staff) -> dict[str, object]:
    """What an audit line keeps of somebody: stores by code, which outlive their ids in a reader's memory."""
    kept: dict[str, object] = {
        field: getattr(person, field) for field in ("username", "name", "role", "sees", "code", "is_active")
    }
    return kept | {"stores": sorted(person.stores.values_list("code", flat=True))}


def check_new_password(password: str, person: Staff) -> None:
    """Refuse what anybody would try first; the rules stand in the settings."""
    try:
        validate_password(password, person)
    except ValidationError as refusal:
        raise Invalid(field="password", reason=refusal.messages[0]) from None


def choose_language(person: Staff, language: str) -> None:
    Staff.objects.filter(pk=person.pk).update(language=language)
