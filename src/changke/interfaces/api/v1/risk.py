"""Who is leaving: warnings, the back-test over the shop's own past, and the rule that warns."""

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema

from changke.foundation.access.capabilities import Capability
from changke.foundation.errors import Invalid, NotFound
from changke.interfaces import jobs
from changke.interfaces.api.actors import actor, by
from changke.interfaces.api.fields import Id, Input, text
from changke.interfaces.api.paging import Page, PageQuery, page, position
from changke.interfaces.api.v1.stages import StoreQuery, narrowed
from changke.profiles.risk import rules
from changke.profiles.risk.models import BackTest, ChurnWarning, Ended, RiskRule, ServiceLine
from changke.profiles.risk.queries import Asked, backtests, by_value, risk_fits, rule_in_use, service_lines, warnings_of
from changke.profiles.risk.services import backtests as asking
from changke.profiles.risk.services.choose import look_at_lines, switch_line, use, use_none, use_row

router = Router(tags=["risk"])


class JudgedOut(Schema):
    """A rule and how it did after the cut; null where there was nothing to divide by."""

    kind: str = Field(..., description="fixed, gaps (multiples of the own gap, for comparison only), outlook or fall.")
    threshold: int = Field(..., description="Days of `fixed`, times of `gaps`, else basis points.")
    latest_days: int | None = Field(
        None, description="Silent days after which an outlook or its fall warns at the latest; null: not by days."
    )
    chosen_by: str = Field(
        ..., description="What its threshold had to keep before the cut: fixed_60, precision, alerts; or empty."
    )
    usable: bool
    precision_bp: int | None = Field(..., description="Warnings after which she stayed away, of all.")
    recall_bp: int | None = Field(..., description="Of those who were lost, how many were warned of 60 days before.")
    lead_days: int | None = Field(..., description="Mean days from the warning to the loss, 0 without one.")
    false_per_100: int | None = Field(..., description="Wrong warnings for each hundred silences.")
    weekly_tenths: int | None = Field(..., description="Ten times the warnings a week.")


class BackTestOut(Schema):
    id: int
    state: str = Field(..., description="waiting, running, done or failed.")
    done: int = Field(..., description="Thresholds tried so far, of `total`.")
    total: int
    horizon_days: int
    minimum_silence_days: int
    least_purchases: int
    wanted_precision_bp: int | None
    wanted_weekly: int | None
    asked_by: str
    asked_at: dt.datetime
    finished_at: dt.datetime | None
    first_on: dt.date | None = Field(..., description="First day of the past it was computed on.")
    last_on: dt.date | None
    cut_on: dt.date | None = Field(..., description="Rules learned up to here and were judged on what began later.")
    used_horizon_days: int | None
    used_lapse_days: int | None
    customers: int
    silences: int
    has_signal: bool | None = Field(
        ..., description="Whether silence tells who stays away; null where too little is known to say."
    )
    signal_auc_bp: int | None
    rows: list[JudgedOut]


class BackTestIn(Input):
    horizon_days: int = Field(90, description="A warning is right when she buys nothing for so long after it.")
    minimum_silence_days: int = 14
    least_purchases: int = Field(1, description="From which purchase on somebody counts.")
    precision_percent: int | None = Field(None, description="A wish: right in at least so many of 100.")
    weekly: int | None = Field(None, description="A wish: at most so many warnings a week.")

    model_config = {"json_schema_extra": {"examples": [{"precision_percent": 60, "weekly": 20}]}}


class RiskRuleOut(Schema):
    kind: str
    threshold: int = Field(..., description="Days of `fixed`, else basis points.")
    horizon_days: int
    minimum_silence_days: int
    least_purchases: int
    latest_days: int | None = Field(..., description="Silent days after which it warns at the latest.")
    per_line: bool = Field(..., description="Whether it warns of lines of services that somebody lets go, too.")
    backtest_id: int | None
    chosen_by: str
    since: dt.datetime


class RiskRuleIn(Input):
    """A row of a back-test, or a threshold of your own."""

    backtest_id: int | None = None
    row: int | None = Field(None, ge=0, le=1_000, description="Place among its `rows`, from 0.")
    kind: Literal["fixed", "outlook", "fall"] | None = None
    threshold: int | None = Field(None, description="Days of `fixed`, else basis points.")
    horizon_days: int = 90
    minimum_silence_days: int = 14
    least_purchases: int = 1
    latest_days: int | None = Field(
        None, description="Of an outlook or its fall: warn after so many silent days at the latest, whatever it says."
    )
    per_line: bool | None = Field(
        None,
        description="Warn too of who still comes and has let a line of services go; left out: as the rule before.",
    )

    model_config = {
        "json_schema_extra": {
            "examples": [
                {"kind": "outlook", "threshold": 3500},
                {"kind": "outlook", "threshold": 5600, "latest_days": 90},
            ]
        }
    }


class CauseOut(Schema):
    cause: str = Field(..., description="One of " + ", ".join(rules.CAUSES) + "; suggested by the fact, not proved.")
    fact: str = Field(..., description="event:, receipt: or staff: and its id.")
    on: dt.date


class LineRefOut(Schema):
    """A line of services."""

    id: int
    name: str


class RiskFitOut(Schema):
    """The card of a model that a night warned by."""

    id: int
    line: LineRefOut | None = Field(..., description="The line of services; null: everybody's purchase days.")
    fitted_at: dt.datetime
    observation_end: dt.date
    horizon_days: int
    first_day: dt.date | None
    customers: int
    returned: int = Field(..., description="Of them, those with more than one day.")
    purchase_days: int
    models: dict[str, dict[str, float]] = Field(
        ..., description="Model -> parameters. Of everybody those that predictions stand on; of a line BG/NBD alone."
    )
    fallback: str = Field(
        ...,
        description="Why it could not learn freely: empty, one_day, nobody_came_back, few, edge or stopped; or empty.",
    )
    holdout: dict[str, Any] | None = Field(
        None, description="How it met a past that was kept from it, once a week; null where there was too little."
    )
    examined_on: dt.date | None


class RiskFitsQuery(Schema):
    line_id: Annotated[int, Field(ge=1, lt=2**63)] | None = Field(None, description="Of one line of services.")


class WarningOut(Schema):
    """Somebody may be leaving, or has let a line of services go while she still comes."""

    customer_id: int
    line: LineRefOut | None = Field(..., description="What she has let go; null: she is silent as a whole.")
    gap_days: int | None = Field(..., description="Of a line: how often she had it so far, in days.")
    opened_on: dt.date
    silent_since: dt.date = Field(
        ..., description="The day of her last purchase or card use, or on which she last had the line."
    )
    expected_on: dt.date | None
    fired_by: str = Field(
        ..., description="Which part of the rule warned: fixed, outlook, fall, or latest (its last day)."
    )
    horizon_days: int
    outlook_bp: int = Field(..., description="The chance that she buys within the horizon, as of the last night.")
    outlook_opened_bp: int
    outlook_then_bp: int = Field(..., description="As it was on the day of her last purchase.")
    purchases: int = Field(..., description="Purchase days so far, or days of the line.")
    value_at_risk_minor: int = Field(..., description="Of a line: what she spent on it in 365 days.")
    cause: str = Field(..., description="The weightiest of `causes`; empty where none is known.")
    causes: list[CauseOut]
    ended: str = Field(..., description="Empty while it is open; else came_back, came_after, lost, gone or replaced.")
    ended_on: dt.date | None


class WarningsQuery(PageQuery, StoreQuery):
    stage: Annotated[str, text(40)] = ""
    cause: Annotated[str, text(12)] = Field("", description="A cause, or `unknown`.")
    ended: Annotated[str, text(12)] = Field("", description="Open ones if left out; how it ended; or `any`.")
    adviser_id: Id | None = None
    line_id: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(
        None, description="Of one line of services; 0: of whole customers only."
    )


@router.get("/warnings", response=Page[WarningOut], operation_id="get_warnings", summary="Who may be leaving")
def get_warnings(request: HttpRequest, query: Query[WarningsQuery]) -> dict[str, Any]:
    """The warnings of your stores' customers, the most money at risk first. What came of turning to somebody is sent to
    /followups with the reason `at_risk`."""
    scope = narrowed(actor(request).scope_for(Capability.CUSTOMER_VIEW), query.store)
    if query.cause and query.cause not in (*rules.CAUSES, "unknown"):
        raise Invalid(field="cause", reason="choose one of %(choices)s", choices=", ".join((*rules.CAUSES, "unknown")))
    if query.ended and query.ended not in (*Ended.values, "any"):
        raise Invalid(field="ended", reason="choose one of %(choices)s", choices=", ".join((*Ended.values, "any")))
    cause = "" if query.cause == "unknown" else query.cause or None
    asked = Asked(adviser=query.adviser_id, stage=query.stage, cause=cause, ended=query.ended, line=query.line_id)
    after = position(query.cursor, int, int)
    rows = by_value(warnings_of(scope, asked), (after[0], after[1]) if after else None)
    return page(
        list(rows[: query.limit + 1]), query.limit, ends=lambda one: [one.value_at_risk_minor, one.pk], show=_warning
    )


def _warning(one: ChurnWarning) -> WarningOut:
    plain = {name: getattr(one, name) for name in WarningOut.model_fields if name not in {"line", "fired_by"}}
    line = LineRefOut(id=one.line.pk, name=str(one.line)) if one.line else None
    return WarningOut(**plain, line=line, fired_by=one.fired)


@router.get("/backtests", response=list[BackTestOut], operation_id="get_backtests", summary="Back-tests")
def get_backtests(request: HttpRequest) -> list[BackTest]:
    """The last twenty, the newest first."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return backtests()


@router.post("/backtests", response={201: BackTestOut}, operation_id="post_backtest", summary="Ask the past")
def post_backtest(request: HttpRequest, body: BackTestIn) -> BackTestOut:
    """Which rule would have warned, and how well. The answer comes in the background: ask for it by its id."""
    who = actor(request)
    who.scope_for(Capability.SETTINGS_EDIT)
    made = asking.ask(rules.Asked(**body.model_dump()), by_name=by(request).name, now=dt.datetime.now(dt.UTC))
    jobs.run_backtest.defer(backtest_id=made.pk)
    return BackTestOut.from_orm(made)


@router.get("/backtests/{backtest_id}", response=BackTestOut, operation_id="get_backtest", summary="One back-test")
def get_backtest(request: HttpRequest, backtest_id: int) -> BackTest:
    """How far it is, or what it said."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return _there(backtest_id)


@router.get("/fits", response=list[RiskFitOut], operation_id="get_risk_fits", summary="What was learned, and how well")
def get_risk_fits(request: HttpRequest, query: Query[RiskFitsQuery]) -> list[RiskFitOut]:
    """The models that the last nights warned by, the latest first; at most 60. None where no rule ever warned."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    plain = [name for name in RiskFitOut.model_fields if name not in {"line", "models"}]
    return [
        RiskFitOut(
            **{name: getattr(one, name) for name in plain},
            models=rules.models_of(one.parameters),
            line=LineRefOut(id=one.line.pk, name=str(one.line)) if one.line else None,
        )
        for one in risk_fits(query.line_id, most=60)
    ]


@router.get("/rule", response=RiskRuleOut | None, operation_id="get_risk_rule", summary="The rule that warns")
def get_risk_rule(request: HttpRequest) -> RiskRule | None:
    """null: nobody chose one, and the chain's fixed silent days hold."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return rule_in_use()


@router.put("/rule", response=RiskRuleOut, operation_id="put_risk_rule", summary="Choose the rule that warns")
def put_risk_rule(request: HttpRequest, body: RiskRuleIn) -> RiskRuleOut:
    """Either `backtest_id` and `row`, or `kind` and `threshold`. The rule before stays written down."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    now = dt.datetime.now(dt.UTC)
    if body.backtest_id is not None and body.row is not None:
        chosen = use_row(_there(body.backtest_id), body.row, by=by(request), now=now)
        if body.per_line is not None:
            chosen = look_at_lines(body.per_line, by=by(request), now=now)
        return RiskRuleOut.from_orm(chosen)
    if body.kind is None or body.threshold is None:
        raise Invalid(field="kind", reason="send backtest_id and row, or kind and threshold")
    wanted = rules.Wanted(
        body.kind, body.threshold, body.horizon_days, body.minimum_silence_days, body.least_purchases,
        body.latest_days, body.per_line,
    )  # fmt: skip
    return RiskRuleOut.from_orm(use(wanted, by=by(request), now=now))


@router.delete("/rule", response={204: None}, operation_id="delete_risk_rule", summary="Let no rule warn")
def delete_risk_rule(request: HttpRequest) -> tuple[int, None]:
    """The chain's fixed silent days hold alone again."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    use_none(by=by(request), now=dt.datetime.now(dt.UTC))
    return 204, None


class LineOut(Schema):
    """A line of services, what its past says, and when it warns."""

    id: int
    name: str
    is_on: bool
    refused: str = Field(..., description="Why it warns of nobody: few, no_signal; empty where it may.")
    learned_on: dt.date
    cycle_days: int = Field(..., description="The usual gap between two days of it.")
    threads: int = Field(..., description="Customers who had it on at least two days.")
    threshold_bp: int = Field(..., description="The outlook below which it warns; 0: by latest_days alone.")
    latest_days: int = Field(..., description="Days after which it warns at the latest.")
    minimum_silence_days: int
    horizon_days: int
    lapse_days: int = Field(..., description="Days after which somebody is lost to it.")
    signal_auc_bp: int | None
    rows: list[JudgedOut]


class LineIn(Input):
    is_on: bool


@router.get("/lines", response=list[LineOut], operation_id="get_service_lines", summary="Lines of services")
def get_service_lines(request: HttpRequest) -> list[LineOut]:
    """Those of most customers first. They are judged once a week while the rule warns of lines."""
    actor(request).scope_for(Capability.ANALYTICS_VIEW)
    return [_line(one) for one in service_lines()]


@router.patch("/lines/{line_id}", response=LineOut, operation_id="patch_service_line", summary="Switch a line")
def patch_service_line(request: HttpRequest, line_id: int, body: LineIn) -> LineOut:
    """One that is off begins no warning; what stands open ends as ever."""
    actor(request).scope_for(Capability.SETTINGS_EDIT)
    return _line(switch_line(line_id, body.is_on, by=by(request), now=dt.datetime.now(dt.UTC)))


def _line(line: ServiceLine) -> LineOut:
    plain = {name: getattr(line, name) for name in LineOut.model_fields if name != "name"}
    return LineOut(**plain, name=str(line))


def _there(backtest_id: int) -> BackTest:
    one = BackTest.objects.filter(pk=backtest_id).first() if backtest_id < 2**63 else None
    if one is None:
        raise NotFound
    return one
