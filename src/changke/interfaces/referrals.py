"""Who brought somebody and whom she brought, as far as the asker may see them. For page, API and command line alike."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import LIVING
from changke.facts.referrals.queries import Said, brought_by, standing
from changke.foundation.organisation.scope import Scope
from changke.profiles.attributes.models import Profile


@dataclass(frozen=True)
class Brought:
    """A customer whom she brought: since when, what she has spent herself, in all and in the last 365 days."""

    customer: Customer
    on: dt.date
    spent_minor: int
    spent_365d_minor: int


@dataclass(frozen=True)
class Referrals:
    """`said`: the statement that holds; `referrer`: whom it names, where she may be seen. `brought`: those who may be
    seen, the latest first; `elsewhere`: how many others there are."""

    said: Said | None
    referrer: Customer | None
    brought: list[Brought]
    elsewhere: int

    @property
    def is_brought(self) -> bool:
        """By somebody, seen or not."""
        return self.said is not None and self.said.referrer_id is not None


def referrals_of(
    customer: Customer, *, scope: Scope, today: dt.date, brought_some: bool = True, spoken: bool = True
) -> Referrals:
    """Of a person, as routes find her. Whoever knows that she brought nobody, or that no referral speaks of her at all
    (`spoken_of`), says so, and nothing is looked up."""
    if not spoken:
        return Referrals(None, None, [], 0)
    said = standing([customer.pk]).get(customer.pk)
    found = brought_by(customer.pk, today=today) if brought_some else []
    ids = [one.customer_id for one in found]
    named = said.referrer_id if said else None
    asked = [*ids, *([named] if named else [])]
    seen = Customer.objects.for_scope(scope).filter(pk__in=asked, **LIVING).select_related("home_store").in_bulk(asked)
    spent = {
        pk: (total, year)
        for pk, total, year in Profile.objects.filter(pk__in=list(seen)).values_list(
            "customer_id", "net_spend", "net_spend_365d"
        )
    }
    brought = [
        Brought(seen[one.customer_id], one.on, *spent.get(one.customer_id, (0, 0)))
        for one in found
        if one.customer_id in seen
    ]
    return Referrals(said, seen.get(named) if named else None, brought, len(found) - len(brought))


def referrers_seen(persons: Collection[int], *, scope: Scope) -> dict[int, Customer]:
    """Person -> who brought her, of whom the asker may see both. Nothing of those whom nobody brought."""
    named = {person: said.referrer_id for person, said in standing(persons).items() if said.referrer_id}
    wanted = set(named.values())
    seen = Customer.objects.for_scope(scope).filter(pk__in=wanted, **LIVING).in_bulk() if wanted else {}
    return {person: seen[referrer] for person, referrer in named.items() if referrer in seen}
