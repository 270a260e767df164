from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser

from changke.foundation.audit.rules import system
from changke.foundation.errors import NotFound
from changke.interfaces import analytics, words, words_of_lines
from changke.interfaces.management.base import ShopCommand
from changke.interfaces.progress import Steps
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, RiskRule, State
from changke.profiles.risk.queries import risk_fits, rule_in_use, service_lines
from changke.profiles.risk.services import backtests
from changke.profiles.risk.services.choose import look_at_lines, switch_line, use, use_none, use_row

BY = system("changke risk")


class Command(ShopCommand):
    help = (
        "Which rule warns of customers who are leaving: ask the chain's own past, put a row of the answer or a "
        "threshold of your own into use, or none."
    )
    example = "changke risk backtest --precision 60 --weekly 20; changke risk use --row 4; changke risk lines --turn on"

    def arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "what",
            choices=["backtest", "rule", "use", "off", "lines", "model"],
            help="ask the past; the rule; choose; none; lines of services; what was learned, and how well",
        )
        parser.add_argument("--horizon", type=int, metavar="DAYS", default=90, help="a warning is right: so long away")
        parser.add_argument("--silence", type=int, metavar="DAYS", default=14, help="no warning before (14)")
        parser.add_argument("--purchases", type=int, metavar="N", default=1, help="counts from which purchase on (1)")
        parser.add_argument("--precision", type=int, metavar="PERCENT", help="backtest: a wish")
        parser.add_argument("--weekly", type=int, metavar="N", help="backtest: warnings a week that staff can handle")
        parser.add_argument("--row", type=int, metavar="N", help="use: a row of the last back-test, from 1")
        parser.add_argument("--kind", choices=rules.USABLE, help="use: a threshold of your own")
        parser.add_argument("--threshold", type=int, metavar="N", help="use: days of `fixed`, else percent")
        parser.add_argument(
            "--latest", type=int, metavar="DAYS", help="use: outlook or fall, at the latest after so many silent days"
        )

        parser.add_argument("--turn", choices=["on", "off"], help="lines: warn of them too, or not; with --line of one")
        parser.add_argument("--line", type=int, metavar="ID", help="lines, model: which one")

    def run(self, *, what: str, **given: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        if what == "lines":
            return self._lines(given, now)
        if what == "model":
            return self._model(given["line"])
        if what == "backtest":
            return self._backtest(given, now)
        if what == "use":
            self._use(given, now)
        elif what == "off":
            use_none(by=BY, now=now)
        return self._rule()

    def _backtest(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        asked = rules.Asked(given["horizon"], given["silence"], given["purchases"], given["precision"], given["weekly"])
        made = backtests.ask(asked, by_name=BY.name, now=now)
        try:
            with Steps() as steps:
                found = analytics.backtest(made.pk, now=now, progress=steps)
        except BaseException:
            backtests.give_up(made.pk, now=datetime.now(UTC))
            raise
        self.say(words.signal_of(found.has_signal, found.signal_auc_bp))
        if found.rows:
            self.say(f"{'':>3} {'right':>6} {'found':>6} {'ahead':>6} {'wrong':>6} {'a week':>7}")
        for place, row in enumerate(found.rows, start=1):
            horizon = found.used_horizon_days or found.horizon_days
            said = words.risk_rule(row["kind"], row["threshold"], horizon, row.get("latest_days"))
            numbers = [_percent(row["precision_bp"]), _percent(row["recall_bp"]), row["lead_days"]]
            weekly = "-" if row["weekly_tenths"] is None else f"{row['weekly_tenths'] / 10:.1f}"
            cells = " ".join(f"{'-' if one is None else one:>6}" for one in [*numbers, row["false_per_100"]])
            self.say(f"{place:>3} {cells} {weekly:>7}  {said}")
        return {
            "id": found.pk,
            "signal": found.has_signal,
            "signal_auc_bp": found.signal_auc_bp,
            "first_on": found.first_on,
            "last_on": found.last_on,
            "cut_on": found.cut_on,
            "customers": found.customers,
            "silences": found.silences,
            "rows": found.rows,
        }

    def _lines(self, given: dict[str, Any], now: datetime) -> dict[str, Any]:
        if given["turn"] is not None and given["line"] is not None:
            switch_line(given["line"], given["turn"] == "on", by=BY, now=now)
        elif given["turn"] is not None:
            look_at_lines(given["turn"] == "on", by=BY, now=now)
        elif given["line"] is not None:
            raise CommandError("say what to do with it: --turn on or --turn off")
        standing, found = rule_in_use(), service_lines()
        on = bool(standing and standing.per_line)
        self.say(f"lines of services are {'' if on else 'not '}warned of")
        for line in found:
            state = "off" if not line.is_on else words_of_lines.refused(line) or words_of_lines.rule(line)
            self.say(f"{line.pk:>4}  {line}: {line.cycle_days} days, {line.threads} customers. {state}")
        if on and not found:
            self.say("none is judged yet: that is done by `changke refresh`, and by night")
        names = ("cycle_days", "threads", "threshold_bp", "latest_days", "refused", "is_on", "learned_on")
        rows = [{"id": one.pk, "name": str(one), **{name: getattr(one, name) for name in names}} for one in found]
        return {"per_line": on, "lines": rows}

    def _model(self, line: int | None) -> dict[str, Any]:
        found = risk_fits(line)
        if not found:
            self.say("nothing was learned yet: it happens by night, once a rule is in use")
        for one in found[:1]:
            self.say(
                f"{one.observation_end}: {one.line or 'the whole customer'}, {one.customers:,} customers,"
                f" {one.purchase_days:,} purchase days, {one.horizon_days} days ahead"
            )
            for model, values in rules.models_of(one.parameters).items():
                self.say(f"  {model}: " + ", ".join(f"{name} {value:.4g}" for name, value in values.items()))
            if one.fallback:
                self.say(f"  could not learn freely: {one.fallback}")
            if card := one.holdout:
                self.say(
                    f"  from {card['cut']} on, {card['horizon_days']} days: active {card['active_said']:.1%} said,"
                    f" {card['active_came']:.1%} came; gap of the tenths {card['band_gap']:.1%}; AUC {card['auc']:.3f}"
                    f" (silence alone {card['naive_auc']:.3f})"
                )
            else:
                self.say("  no report card: the past is too short, or the customers are too few")
        names = ("observation_end", "fitted_at", "horizon_days", "first_day", "customers", "returned", "purchase_days",
                 "parameters", "fallback", "holdout", "examined_on", "line_id")  # fmt: skip
        return {"fits": [{name: getattr(one, name) for name in names} for one in found]}

    def _use(self, given: dict[str, Any], now: datetime) -> None:
        if given["row"] is not None:
            last = BackTest.objects.filter(state=State.DONE).first()
            if last is None:
                raise NotFound
            use_row(last, given["row"] - 1, by=BY, now=now)
            return
        if given["kind"] is None or given["threshold"] is None:
            raise CommandError("say which: --row N, or --kind and --threshold")
        threshold = given["threshold"] if given["kind"] == "fixed" else given["threshold"] * 100
        wanted = rules.Wanted(
            given["kind"], threshold, given["horizon"], given["silence"], given["purchases"], given["latest"]
        )
        use(wanted, by=BY, now=now)

    def _rule(self) -> dict[str, Any]:
        standing = rule_in_use()
        self.say(_said(standing))
        if standing is None:
            return {"kind": None}
        names = ("kind", "threshold", "horizon_days", "minimum_silence_days", "least_purchases", "latest_days")
        return {name: getattr(standing, name) for name in (*names, "per_line", "chosen_by", "since")}


def _said(rule: RiskRule | None) -> str:
    if rule is None:
        return "none chosen: the chain's fixed silent days hold"
    return words.risk_rule(rule.kind, rule.threshold, rule.horizon_days, rule.latest_days)


def _percent(points: int | None) -> str | None:
    return None if points is None else f"{points / 100:.0f} %"
