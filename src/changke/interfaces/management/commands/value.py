import dataclasses
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from changke.facts.customers.models import Customer
from changke.foundation.money import to_major
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps
from changke.interfaces.web.customers.filters import Filters
from changke.interfaces.web.customers.reads import along
from changke.profiles.value.lines import Held, product_lines
from changke.profiles.value.models import Prediction, ValueFit
from changke.profiles.value.queries import fits

MOST = 10_000


class Command(ShopCommand):
    help = (
        "What is expected of the customers: how the latest fit met a past that was kept from it; `fit` learns anew now "
        "and predicts everybody; `customers` lists whom most is expected of; `lines`: for which ages each product line "
        "is, and how long customers stay with it. The worker learns weekly and predicts every night by itself."
    )
    example = "changke value customers --order money --stage silent --most 20"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=["show", "fit", "history", "customers", "lines"], default="show")
        parser.add_argument(
            "--order", choices=["outlook", "expected", "money"], default="money", help="customers: the highest first by"
        )
        parser.add_argument("--stage", default="", help="customers: only those of this stage")
        parser.add_argument("--most", type=int, metavar="N", default=50, help="customers: how many (50)")

    def run(self, *, what: str, **options: Any) -> dict[str, Any]:
        if what == "customers":
            return self._customers(options["order"], options["stage"], min(max(options["most"], 1), MOST))
        if what == "fit":
            with Steps() as steps:
                done = analytics.learn(now=datetime.now(UTC), progress=steps)
            self.say(f"{done.customers:,} customers predicted, {done.written:,} of them otherwise than before")
            return {"fit": self._told(done.fit), "customers": done.customers, "written": done.written,
                    "seconds": dict(done.seconds)}  # fmt: skip
        if what == "lines":
            return self._lines()
        found = fits(1 if what == "show" else 50)
        if not found:
            self.say("nothing was learned yet: `changke value fit`, or wait for the night")
        return {"fits": [self._told(one) for one in found]}

    def _customers(self, order: str, stage: str, most: int) -> dict[str, Any]:
        wanted = Filters(order=order, stages=(stage,) if stage else ())
        found = [pk for pk, value in along(wanted, CHAIN_WIDE, size=most) if value is not None]
        currency = the_chain().currency if found else ""
        about, names = Prediction.objects.in_bulk(found), Customer.objects.in_bulk(found)
        rows = [about[pk] for pk in found if pk in about]
        for one in rows:
            self.say(
                f"{one.pk:>9} {one.p_active_bp / 100:>4.0f} % {one.expected_purchases_milli / 1_000:>6.1f} days"
                f" {to_major(one.expected_spend_minor, currency):>12,.0f}"
                f" {to_major(one.value_year_minor, currency):>12,.0f} a year"
                f" {to_major(one.worth_minor, currency):>12,.0f} worth  {names[one.pk].name}"
            )
        if not rows:
            self.say("nothing is expected of anybody: nobody fits, or nothing was learned yet (`changke value fit`)")
        numbers = ("p_active_bp", "expected_purchases_milli", "expected_spend_minor", "value_year_minor",
                   "value_year_low_minor", "value_year_high_minor", "worth_minor", "margin_bp",
                   "horizon_days", "as_of")  # fmt: skip
        return {
            "customers": [{"customer_id": one.pk, **{name: getattr(one, name) for name in numbers}} for one in rows]
        }

    def _lines(self) -> dict[str, Any]:
        found = product_lines()
        if not found.lines:
            self.say("no product line was counted yet: `changke refresh`, or wait for the night")
        told = []
        for line in found.lines:
            ages = f"ages {line.ages[0]} to {line.ages[1]}" if line.ages else "ages unknown"
            years = line.held.expected_years
            stays = f"a customer stays {years:.1f} years" if years else "no end in sight"
            self.say(f"{line.name}: {line.held.bought:,} of {line.held.customers:,} this year, {ages}, {stays}")
            told.append({
                "category": line.name, "ages": line.ages, "life_years": line.life_years, **_held(line.held),
                "bands": [
                    {"first": one.first, "last": one.last, "years_left": one.years_left, **_held(one.held)}
                    for one in line.bands
                ],
            })  # fmt: skip
        return {"as_of": found.as_of, "lines": told}

    def _told(self, fit: ValueFit | None) -> dict[str, Any] | None:
        if fit is None:
            return None
        self.say(
            f"{fit.observation_end}: {fit.customers:,} customers, {fit.purchase_days:,} purchase days,"
            f" {fit.horizon_days} days ahead"
        )
        for model, why in fit.fallbacks.items():
            self.say(f"  {model} could not learn freely: {why}")
        if card := fit.holdout:
            self.say(
                f"  from {card['cut']} on, {card['horizon_days']} days: active {card['active_said']:.1%} said,"
                f" {card['active_came']:.1%} came; AUC {card['auc']:.3f} (silence alone {card['naive_auc']:.3f});"
                f" RMSE {card['rmse']:.3f} (own pace {card['naive_rmse']:.3f}); purchase days"
                f" {card['purchases_said']:,.0f} said, {card['purchases_came']:,.0f} came"
            )
        else:
            self.say("  no report card: the past is too short, or the customers are too few")
        return {
            "id": fit.pk, "fitted_at": fit.fitted_at, "observation_end": fit.observation_end,
            "horizon_days": fit.horizon_days, "customers": fit.customers, "purchase_days": fit.purchase_days,
            "first_day": fit.first_day, "fallbacks": fit.fallbacks, "holdout": fit.holdout, "seconds": fit.seconds,
            "margins": fit.margins,
            "parameters": fit.parameters,
        }  # fmt: skip


def _held(held: Held) -> dict[str, Any]:
    return {**dataclasses.asdict(held), "expected_years": held.expected_years}
