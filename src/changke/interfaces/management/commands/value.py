from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandParser

from changke.interfaces import analytics
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps
from changke.profiles.value.models import ValueFit
from changke.profiles.value.queries import fits


class Command(ShopCommand):
    help = (
        "What is expected of the customers: how the latest fit met a past that was kept from it; `fit` learns anew now "
        "and predicts everybody. The worker learns weekly and predicts every night by itself."
    )
    example = "changke value fit --json"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", nargs="?", choices=["show", "fit", "history"], default="show")

    def run(self, *, what: str, **options: Any) -> dict[str, Any]:
        if what == "fit":
            with Steps() as steps:
                done = analytics.learn(now=datetime.now(UTC), progress=steps)
            self.say(f"{done.customers:,} customers predicted, {done.written:,} of them otherwise than before")
            return {"fit": self._told(done.fit), "customers": done.customers, "written": done.written,
                    "seconds": dict(done.seconds)}  # fmt: skip
        found = fits(1 if what == "show" else 50)
        if not found:
            self.say("nothing was learned yet: `changke value fit`, or wait for the night")
        return {"fits": [self._told(one) for one in found]}

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
            "parameters": fit.parameters,
        }  # fmt: skip
