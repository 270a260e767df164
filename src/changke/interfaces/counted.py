"""Every number that a page counts or computes: its words, what it asks, and the formula where it is no plain count.

`heard` listens to the page's own read; what a night counted is shown with the statement of the night. All run against
PostgreSQL. Statements are those of everybody: a reader's stores narrow them where they run.
"""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from changke.engine.prediction.fitted import Fitted, as_of
from changke.engine.prediction.margins import Margins
from changke.foundation.errors import NotFound
from changke.foundation.organisation.queries import the_chain
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces import formulas
from changke.interfaces.asking import Asking
from changke.interfaces.statements import HER, composed_of, filled, heard, laid_out
from changke.interfaces.web.advisers.lists import lines_of, slipping_by
from changke.interfaces.web.customers.filters import CARE
from changke.profiles.affinity import queries as affinity
from changke.profiles.affinity import together
from changke.profiles.affinity.models import Proposal, Trait
from changke.profiles.affinity.services import read
from changke.profiles.affinity.services.together import SEASON_LOOK_BACK_DAYS
from changke.profiles.attributes.catalogue import COMPOSER
from changke.profiles.attributes.queries import days_at, settings_of, values_for, versions
from changke.profiles.conditions import Condition
from changke.profiles.lifecycle import queries as lifecycle
from changke.profiles.lifecycle.health import health_of
from changke.profiles.lifecycle.needs import needs_of
from changke.profiles.lifecycle.rules import LifecycleModel
from changke.profiles.lifecycle.services import stores
from changke.profiles.lifecycle.services.series import flowed
from changke.profiles.lifecycle.times import times_in
from changke.profiles.risk import queries as risk
from changke.profiles.risk.services.line_days import lines_asked
from changke.profiles.segments import queries as segments
from changke.profiles.segments.models import Segment
from changke.profiles.value import grid
from changke.profiles.value.lines import product_lines
from changke.profiles.value.models import ValueRules
from changke.profiles.value.profit import SUMMED, moved
from changke.profiles.value.queries import current_fit, fits, fitted, prediction_of, value_rules
from changke.profiles.value.services import lines as value_lines

PAGE, NIGHT, LEARNED = _("What the page asks"), _("What the night counts"), _("What it is learned from and asked of")
MONTH = dt.timedelta(days=30)
YEAR = dt.timedelta(days=365)


@dataclass(frozen=True)
class Part:
    """One statement, and what it says."""

    says: str | Promise
    sql: str


@dataclass(frozen=True)
class Counted:
    """`formula` gives the lines of what is computed of the statements; none where they are the number."""

    name: str | Promise
    words: str | Promise
    parts: Callable[[Asking], Iterable[Part]]
    formula: Callable[[], list[str]] = list


def today() -> dt.date:
    return days_at(timezone.now(), the_chain()).chain


def bound(day: dt.date) -> dict[str, object]:
    """What statements over customers bind as of a day; without a night so far the population's values stand open."""
    settings, version = settings_of(the_chain()), versions().on(day)
    values = values_for(settings, today=day, version=version or 0)
    return values if version else {name: value for name, value in values.items() if name in {*settings, "today"}}


def _page(reading: Callable[[], object]) -> list[Part]:
    return [Part(PAGE, sql) for sql in heard(reading)]


def _read(reading: Callable[[], object]) -> Callable[[Asking], list[Part]]:
    """Of a read that is all there is."""
    return lambda _asking: _page(reading)


def _model() -> LifecycleModel:
    models = lifecycle.models_in_use()
    if not models:
        raise NotFound
    return models[0]


# Stages


def _standing_on(model: LifecycleModel, day: dt.date) -> str:
    """Everybody's stage as of a day, by the rules over everybody's attributes."""
    composer = lifecycle.composer_for([model])
    asked = ["home_store_id", "value_at_risk"]
    statement = composer.statement(asked, engine="postgres", cases={model.column: model.cases})
    return composed_of(statement, bound(day) | model.cases.values(model.column))


def _by_stage(_asking: Asking) -> list[Part]:
    model, days = _model(), lifecycle.chart_days()
    everybody = _standing_on(model, today())
    counted = (
        f"SELECT home_store_id, {model.column}, COUNT(*) AS customers, SUM(value_at_risk) AS value_at_risk"  # noqa: S608
        f" FROM ({everybody}) AS everybody GROUP BY home_store_id, {model.column}"
    )
    asked = _page(lambda: lifecycle.counts(model.key, CHAIN_WIDE, since=days[-1])) if days else []
    return [*asked, Part(NIGHT, laid_out(counted))]


def _flows(_asking: Asking) -> list[Part]:
    model, last = _model(), today()
    days = [last - MONTH, last, *lifecycle.chart_days()][-2:]
    asked = _page(lambda: lifecycle.flows(model.key, CHAIN_WIDE, days=days[-1:]))
    both = ", ".join(
        f"{name} AS ({_standing_on(model, day)})" for name, day in zip(("earlier", "later"), days, strict=True)
    )
    return [*asked, Part(NIGHT, laid_out(f"WITH {both} {flowed(model.column, 'earlier', 'later')}"))]


def _profit(_asking: Asking) -> list[Part]:
    model, days = _model(), lifecycle.chart_days()
    asked = _page(lambda: lifecycle.profits(model.key, CHAIN_WIDE, since=days[-1])) if days else []
    counted = (
        f"SELECT customer_id, DATE_TRUNC('month', business_date) AS month, {SUMMED}"  # noqa: S608 -- our words
        f" FROM ({moved()}) AS moved GROUP BY 1, 2"
    )
    return [*asked, Part(NIGHT, laid_out(counted))]


def _health(_asking: Asking) -> list[Part]:
    last = today().replace(day=1) - dt.timedelta(days=1)
    counted = filled(stores.COUNTED, stores.bounds(last), dialect="duckdb")
    return [*_page(lambda: health_of(CHAIN_WIDE)), Part(NIGHT, counted)]


# Warnings


def _lines(_asking: Asking) -> list[Part]:
    return [*_page(risk.service_lines), Part(LEARNED, laid_out(lines_asked(today()))), *_days_of_purchases()]


def _backtest(_asking: Asking) -> list[Part]:
    return [*_page(risk.backtests), *_days_of_purchases()]


def _risk_model(_asking: Asking) -> list[Part]:
    return [*_page(risk.risk_fits), *_days_of_purchases()]


def _risk_formula() -> list[str]:
    found, fit = risk.risk_fits(most=1), current_fit()
    if not found or fit is None:
        return []
    return formulas.of_warnings(as_of(fitted(fit).on(today()), horizon_days=found[0].horizon_days))


def _proposed_formula() -> list[str]:
    found = affinity.affinity_fits(most=1)
    weights = affinity.weights_of(found[0]) if found else None
    return formulas.of_weights(weights) if weights else []


def _days_of_purchases() -> list[Part]:
    return [Part(LEARNED, laid_out(risk.purchase_days(today()), "duckdb"))]


# What is expected


def _expected(asking: Asking) -> list[Part]:
    return [*_page(lambda: prediction_of(HER)), *_days_bought()]


def _fit(_asking: Asking) -> list[Part]:
    return [*_page(lambda: fits(1)), *_days_bought()]


def _days_bought() -> list[Part]:
    return [
        Part(LEARNED, composed_of(COMPOSER.rows(name, engine="postgres"), {"today": today()}))
        for name in ("days_bought", "days_before", "person")
    ]


def _learned(formula: Callable[[Fitted], list[str]]) -> Callable[[], list[str]]:
    def lines() -> list[str]:
        fit = current_fit()
        return formula(fitted(fit).on(today())) if fit else []

    return lines


def _valued(formula: Callable[[Fitted, ValueRules, Margins], list[str]]) -> Callable[[], list[str]]:
    """With the settings and the margins of the chain beside what was learned."""

    def lines() -> list[str]:
        fit = current_fit()
        return formula(fitted(fit).on(today()), value_rules(), Margins.from_json(fit.margins)) if fit else []

    return lines


def _product_lines(_asking: Asking) -> list[Part]:
    counted = filled(value_lines.COUNTED, value_lines.bounds(today()))
    return [*_page(product_lines), Part(NIGHT, counted)]


# What goes together


def _together(reading: Callable[[], object]) -> Callable[[Asking], list[Part]]:
    return lambda _asking: [*_page(reading), Part(NIGHT, laid_out(read.lines_asked(today())))]


def _seasons(_asking: Asking) -> list[Part]:
    counted = read.days_asked(today(), look_back_days=SEASON_LOOK_BACK_DAYS)
    return [*_page(together.seasons_of), Part(NIGHT, laid_out(counted))]


# Segments


def _portrait(asking: Asking) -> list[Part]:
    condition, words, now = asking.condition(), asking.words, timezone.now()
    return _page(lambda: segments.portrait(condition, words, now=now, scope=CHAIN_WIDE))


def _segment_count(asking: Asking) -> list[Part]:
    told = segments.statement_of(
        segments.COUNTED, asking.condition(), asking.words, now=timezone.now(), scope=CHAIN_WIDE
    )
    return [Part(PAGE, filled(told[0], told[1].values))]


def _overlap(asking: Asking) -> list[Part]:
    """Each of the two, and both at once; asked for no segment, everybody."""
    words, now = asking.words, timezone.now()
    trees: list[dict[str, object]] = [{"segment": one.key} for one in (asking.segment(), asking.other()) if one]
    if len(trees) == 2:
        trees.append({"and": list(trees)})
    conditions: list[Condition | None] = [words.condition(tree) for tree in trees] or [None]
    told = (
        segments.statement_of(segments.COUNTED, one, words, now=now, scope=CHAIN_WIDE) for one in conditions or [None]
    )
    return [Part(PAGE, filled(sql, asked.values)) for sql, asked in told]


def _tracked() -> list[Segment]:
    return list(Segment.objects.all())


def _members(_asking: Asking) -> list[Part]:
    every = _tracked()
    return _page(lambda: segments.members_now(every, scope=CHAIN_WIDE))


def _moves(_asking: Asking) -> list[Part]:
    every, since = _tracked(), timezone.now() - MONTH
    return _page(lambda: segments.moved(every, since=since, scope=CHAIN_WIDE))


def _proposed(_asking: Asking) -> list[Part]:
    hers = _page(lambda: list(Proposal.objects.filter(pk=HER)))
    return [*hers, Part(LEARNED, laid_out(read.lines_asked(today())))]


COUNTED: dict[str, Counted] = {
    "customers_by_stage": Counted(
        _("Customers by stage"),
        _("everybody once, in the first stage of the model whose rule fits her on that day"),
        _by_stage,
    ),
    "stage_flows": Counted(
        _("Who goes where"),
        _("everybody's stage on two days, counted by where she stood and where she stands"),
        _flows,
    ),
    "profit_by_month": Counted(
        _("Profit by month"),
        _("what was rendered in a month less what was given back, and its profit where costs are recorded"),
        _profit,
    ),
    "time_in_stage": Counted(
        _("Time in stages"),
        _("the times of a sample of customers in each stage, weighted by how many each stands for"),
        _read(lambda: times_in(_model(), CHAIN_WIDE)),
        lambda: formulas.MEDIAN,
    ),
    "stage_needs": Counted(
        _("Needs of stages"),
        _("of those who stand in a stage, how many wear a tag, are proposed or bought an item, or may have a reason"),
        _read(lambda: needs_of(_model(), CHAIN_WIDE, today=today())),
    ),
    "store_health": Counted(
        _("Health of stores"),
        _("who bought in a store in a month, on how many days, who of an earlier quarter came back, and the profit"),
        _health,
    ),
    "value_grid": Counted(
        _("Value grid"),
        _("whoever ever bought, by how recently she was active and how often she bought in a year"),
        _read(grid.grid),
    ),
    "value_groups": Counted(
        _("Value group"),
        _("whoever ever bought, by value group, with what she spent and what she is expected to bring"),
        _read(grid.groups),
    ),
    "customers_by_age": Counted(
        _("Customers by age"),
        _("whoever ever bought and whose year of birth is known, by age"),
        _read(lambda: grid.ages(today=today())),
    ),
    "product_lines": Counted(
        _("Product lines"),
        _("who bought or used something of a category, by home store and year of birth, and who of them came again"),
        _product_lines,
        lambda: ["a customer stays = 1 / (1 − came again / bought it the year before)"],
    ),
    "open_warnings": Counted(
        _("Open warnings"),
        _("silences in which the rule that warns held and that have not ended, and the money at risk in them"),
        _read(lambda: risk.tallies(risk.warnings_of(CHAIN_WIDE, risk.Asked()))),
    ),
    "ended_warnings": Counted(
        _("What became of warnings"),
        _("warnings by how they ended: she came back by herself, after somebody reached her, or is lost"),
        _read(lambda: risk.ends(CHAIN_WIDE, since=today() - YEAR)),
    ),
    "her_warnings": Counted(
        _("Warnings of a customer"),
        _("the silences in which a rule warned of her, and how they ended"),
        _read(lambda: risk.history_of([HER])),
    ),
    "service_lines": Counted(
        _("Lines of services"),
        _("each category of services judged by its own past: the usual gap, the rule that warns, how it did"),
        _lines,
        lambda: formulas.JUDGED,
    ),
    "backtest": Counted(
        _("Back-test"),
        _(
            "each rule run over the silences of the past: right if nothing was bought for the days that were asked,"
            " found if it warned 60 days before the loss"
        ),
        _backtest,
        lambda: formulas.JUDGED,
    ),
    "risk_model": Counted(
        _("Chance behind the warnings"),
        _("the chance that she buys within the horizon of the rule that warns, of one model of everybody's days"),
        _risk_model,
        _risk_formula,
    ),
    "outlook": Counted(
        _("Outlook"),
        _("the chance that she buys within the horizon: a closed form of what was learned, asked of her purchase days"),
        _expected,
        _learned(formulas.of_outlook),
    ),
    "expected_purchases": Counted(
        _("Expected purchases"),
        _("purchase days expected within the horizon: a closed form of what was learned, asked of her purchase days"),
        _expected,
        _learned(formulas.of_days),
    ),
    "expected_spend": Counted(
        _("Expected spend"),
        _("expected purchase days times the money that one of hers is likely to bring"),
        _expected,
        _learned(formulas.of_money),
    ),
    "value_year": Counted(
        _("Annual value"),
        _("what stays of the money expected over the coming year, later money being less"),
        _expected,
        _valued(formulas.of_year),
    ),
    "worth": Counted(
        _("Discounted worth"),
        _("what stays of the money expected over the years that the chain counts, later money being less"),
        _expected,
        _valued(formulas.of_worth),
    ),
    "value_model": Counted(
        _("Model card"),
        _("what was learned of everybody's purchase days, and how the same recipe met a past that was kept from it"),
        _fit,
        _learned(formulas.of_days),
    ),
    "proposed_chance": Counted(
        _("What she may like next"),
        _("the chance that an item is among what she has next, of her lines and those of the whole chain"),
        _proposed,
        _proposed_formula,
    ),
    "pairs_together": Counted(
        _("What goes together"),
        _("customers, or days, with both of two items, against what chance would have it"),
        _together(together.pairs_of),
        lambda: formulas.LIFT,
    ),
    "first_baskets": Counted(
        _("First purchase"),
        _("who began with two items and who with the more common one alone, and who came back within 90 days"),
        _together(together.starters_of),
        lambda: formulas.CAME_BACK,
    ),
    "seasons": Counted(
        _("Seasons"),
        _("days on which an item was had in a month of earlier years, against the year around"),
        _seasons,
        lambda: formulas.SEASON,
    ),
    "group_favourites": Counted(
        _("What each group has most"),
        _("customers of a group who had an item lately, of those who had anything"),
        _together(lambda: together.groups_of(trait=Trait.AGE.value)),
        lambda: formulas.GROUP_SHARE,
    ),
    "segment_count": Counted(
        _("Members by the condition"),
        _("whom the condition of a segment fits now; asked for none, everybody"),
        _segment_count,
    ),
    "segment_members": Counted(
        _("Members of segments"),
        _("who is in a tracked segment or on a frozen list by what was written down"),
        _members,
    ),
    "segment_moves": Counted(
        _("Who came and who went"),
        _("entries and leavings that were written down, without those of a saving"),
        _moves,
    ),
    "segment_portrait": Counted(
        _("Portrait"),
        _("a segment in numbers: spend, visits, ages, sources, services, and who may be written to"),
        _portrait,
    ),
    "segment_overlap": Counted(
        _("Overlap of segments"),
        _("how many are in the one, in the other, in both"),
        _overlap,
    ),
    "customers_by_adviser": Counted(
        _("Customers by adviser"),
        _("whom each adviser looks after, and the money at risk among them"),
        _read(lambda: lines_of(CHAIN_WIDE)),
    ),
    "slipping_customers": Counted(
        _("Who slips through"),
        _("customers whom nobody looks after, or whose adviser has left, counted up to 10,000"),
        _read(lambda: [slipping_by(care, CHAIN_WIDE) for care in CARE]),
    ),
}
"""Key -> what stands behind it, in the order of the pages."""
