"""What may be changed for many at once: fields as people name them, values as they send them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from changke.facts.customers.models import Customer, Gender
from changke.facts.customers.services.bulk import BulkChange
from changke.facts.customers.services.tags import LONGEST_TAG
from changke.foundation.access.models import Staff
from changke.foundation.errors import Invalid
from changke.foundation.organisation.models import Store
from changke.foundation.organisation.scope import Scope

TEXTS = ("occupation", "income_band", "city", "interests", "living", "source")
FIELDS = ("adviser", "home_store", "gender", *TEXTS)
COLUMNS = {"adviser": "adviser_id", "home_store": "home_store_id"}
MOST_TAGS = 20


@dataclass(frozen=True)
class Wish:
    """A change as it was asked for, and as the batch keeps it: `set` is field -> value, "" to clear it; adviser and
    store are ids."""

    set: Mapping[str, str] = field(default_factory=dict)
    add_tags: Sequence[str] = ()
    remove_tags: Sequence[str] = ()

    def as_json(self) -> dict[str, object]:
        return {"set": dict(self.set), "add_tags": list(self.add_tags), "remove_tags": list(self.remove_tags)}

    @classmethod
    def from_json(cls, kept: Mapping[str, object]) -> "Wish":
        return cls(kept.get("set") or {}, kept.get("add_tags") or (), kept.get("remove_tags") or ())  # type: ignore[arg-type]  # ours


def understood(wish: Wish, *, scope: Scope) -> BulkChange:
    """The change that the wish means; refused with its field where it cannot be done. `scope`: where one may move
    customers to."""
    if not (wish.set or wish.add_tags or wish.remove_tags):
        raise Invalid(field="set", reason="say what to change: a field, or a tag to put on or take off")
    if unknown := sorted(set(wish.set) - set(FIELDS)):
        raise Invalid(field=unknown[0], reason="not a field that may be the same for many")
    if set(wish.add_tags) & set(wish.remove_tags):
        raise Invalid(field="remove_tags", reason="a tag is either put on or taken off")
    fields = {COLUMNS.get(name, name): _value(name, value.strip(), scope) for name, value in wish.set.items()}
    return BulkChange(fields, _tags("add_tags", wish.add_tags), _tags("remove_tags", wish.remove_tags))


def _value(name: str, value: str, scope: Scope) -> object:
    if name == "adviser":
        return _adviser(value)
    if name == "home_store":
        return _store(value, scope)
    if name == "gender":
        if value not in Gender.values:
            raise Invalid(field=name, reason="f, m or empty")
        return value
    longest = getattr(Customer._meta.get_field(name), "max_length", None)
    plain = " ".join(value.replace("\x00", "").split())
    if longest and len(plain) > longest:
        raise Invalid(field=name, reason="at most %(longest)s characters", longest=longest)
    return plain


def _adviser(value: str) -> int | None:
    if not value:
        return None
    person = Staff.objects.filter(pk=_number("adviser", value), is_active=True).first()
    if person is None:
        raise Invalid(field="adviser", reason="there is no such person at work")
    return person.pk


def _store(value: str, scope: Scope) -> int | None:
    if not value:
        return None
    found = Store.objects.for_scope(scope).filter(pk=_number("home_store", value)).first()
    if found is None:
        raise Invalid(field="home_store", reason="there is no such store, or it is not yours")
    return int(found.pk)


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and 0 < int(value) < 2**63):
        raise Invalid(field=name, reason="choose one")
    return int(value)


def _tags(name: str, tags: Sequence[str]) -> tuple[str, ...]:
    plain = tuple(dict.fromkeys(" ".join(tag.replace("\x00", "").split()) for tag in tags))
    if len(plain) > MOST_TAGS:
        raise Invalid(field=name, reason="at most %(most)s tags at a time", most=MOST_TAGS)
    if any(not tag or len(tag) > LONGEST_TAG for tag in plain):
        raise Invalid(field=name, reason="a tag has 1 to 60 characters")
    return plain
