import datetime as dt
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.facts.customers.models import Customer
from changke.facts.customers.queries import customer_in
from changke.facts.customers.services.meet import find, reference
from changke.facts.referrals.services import name_referrer, take_off_referrer
from changke.foundation.audit.rules import system
from changke.foundation.errors import DomainError, NotFound
from changke.foundation.money import to_major
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.foundation.periods import business_date
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.referrals import Referrals, referrals_of
from changke.profiles.attributes.models import Profile
from changke.profiles.value.referrers import referrers

BY = system("changke referrals")
MOST = 10_000


class Command(ShopCommand):
    help = (
        "Who brought others, the most valuable first. With a customer (our number, or her phone): who brought her and "
        "whom she brought; --by says who brought her, --off that the name was wrong."
    )
    example = "changke referrals 13800007831 --by 13900002210"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("customer", nargs="?", metavar="CUSTOMER", help="our number of her, or her phone")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--by", metavar="REFERRER", help="she was brought by this customer")
        what.add_argument("--off", action="store_true", help="nobody is known to have brought her")
        parser.add_argument(
            "--on", type=dt.date.fromisoformat, metavar="DAY", help="with --by: the day; else her first"
        )
        parser.add_argument("--most", type=int, metavar="N", default=50, help="without a customer: how many (50)")

    def run(
        self, *, customer: str | None, by: str | None, off: bool, on: dt.date | None, most: int, **options: Any
    ) -> dict[str, Any]:
        now = datetime.now(UTC)
        if customer is None:
            if by or off:
                raise CommandError("say whom it is about: changke referrals CUSTOMER --by REFERRER")
            return self._top(min(max(most, 1), MOST))
        her = _meant(customer)
        try:
            if by is not None:
                name_referrer(her.pk, _meant(by).pk, brought_on=on, by=BY, now=now)
            elif off:
                take_off_referrer(her.pk, by=BY, now=now)
        except DomainError as refusal:
            raise CommandError(str(refusal)) from None
        today = business_date(now, the_chain().time_zone)
        return self._told(her, referrals_of(her, scope=CHAIN_WIDE, today=today))

    def _top(self, most: int) -> dict[str, Any]:
        rows = list(referrers(CHAIN_WIDE)[:most])
        names, currency = Customer.objects.in_bulk([one.pk for one in rows]), the_chain().currency
        told = []
        for one in rows:
            row: Any = one
            told.append(
                {
                    "customer_id": row.pk,
                    "referred_customers": row.referred_customers,
                    "referral_value_minor": row.referral_value,
                    "referral_value_365d_minor": row.referral_value_365d,
                    "spent_minor": row.net_spend,
                }
            )
            self.say(
                f"{row.pk:>9} brought {row.referred_customers:>3}, {to_major(row.referral_value, currency):>12,.0f}"
                f"  herself {to_major(row.net_spend, currency):>12,.0f}  {names[row.pk].name}"
            )
        if not rows:
            self.say("nobody is known to have brought anybody")
        return {"referrers": told}

    def _told(self, her: Customer, found: Referrals) -> dict[str, Any]:
        row: Any = Profile.objects.filter(pk=her.pk).first()
        currency = the_chain().currency
        self.say(
            f"{her} was brought by {found.referrer} on {found.said.brought_on}"
            if found.referrer and found.said
            else f"nobody is known to have brought {her}"
        )
        worth = row.referral_value if row else 0
        self.say(f"she brought {len(found.brought)}, who spent {to_major(worth, currency):,.0f} (as last computed)")
        for one in found.brought:
            self.say(f"{one.customer.pk:>9} {one.on} {to_major(one.spent_minor, currency):>12,.0f}  {one.customer}")
        return {
            "customer_id": her.pk,
            "referrer_id": found.referrer.pk if found.referrer else None,
            "brought_on": found.said.brought_on if found.is_brought and found.said else None,
            "brought": [
                {"customer_id": one.customer.pk, "on": one.on, "spent_minor": one.spent_minor} for one in found.brought
            ],
            "referral_value_minor": worth,
        }


def _meant(said: str) -> Customer:
    """By our number, or by her phone."""
    kinds = ("id", "phone") if said.isascii() and said.isdigit() and len(said) < 10 else ("phone",)
    for kind in kinds:
        try:
            who = reference(kind, said)
            if who.value and (pk := find([who], scope=CHAIN_WIDE).get(who)) is not None:
                return customer_in(CHAIN_WIDE, pk)
        except (DomainError, NotFound):
            continue
    raise CommandError(f"there is no customer {said}: give our number of her, or her phone")
