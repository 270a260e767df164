"""How a number of the pages is computed: its words, and the SQL that says it. For page, API and command line alike.

Attributes have a file each that defines them, and a statement composed of it and of all that it stands on. Counts and
sums of a page are the statement that the page asks. What is learned rather than counted says so, with the statement of
the days that it was learned from. Statements are those of everybody: a reader's stores narrow them where they run.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import sqlglot
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from changke.foundation.errors import NotFound
from changke.foundation.organisation.scope import CHAIN_WIDE
from changke.interfaces.web.customers.defined import DEFINED
from changke.interfaces.web.customers.measures import NAMES, name_of
from changke.profiles.attributes.catalogue import COMPOSER, REGISTRY
from changke.profiles.lifecycle.queries import composer_for, models_in_use
from changke.profiles.lifecycle.services.stores import COUNTED as STORES
from changke.profiles.risk.queries import Asked, purchase_days, warnings_of
from changke.profiles.value.grid import grid_statement, groups_statement
from changke.profiles.value.profit import SUMMED, moved
from changke.profiles.value.queries import value_rules


@dataclass(frozen=True)
class Number:
    """`definition` is the file that defines it, as it was written; empty where a page counts. `reads`: what that file
    stands on."""

    key: str
    name: str
    words: str
    sql: str
    definition: str = ""
    reads: tuple[str, ...] = ()


def number(key: str) -> Number:
    """Raises NotFound."""
    if key in COUNTED:
        name, words, sql = COUNTED[key]
        return Number(key, str(name), str(words), sql())
    if key not in REGISTRY.attributes:
        raise NotFound
    owner = REGISTRY.owners[key]
    statement = COMPOSER.statement([key], engine="postgres")
    written = owner.path.read_text(encoding="utf-8").strip()
    return Number(key, *called(key), _laid_out(statement.sql), definition=written, reads=tuple(owner.inputs))


def every() -> list[str]:
    """Everything that can be asked, what pages count first."""
    return [*COUNTED, *sorted(REGISTRY.attributes)]


def called(key: str) -> tuple[str, str]:
    """Its name and its words, without the work of a statement."""
    if key in COUNTED:
        name, words, _sql = COUNTED[key]
        return str(name), str(words)
    return name_of(key), str(NAMES[key][1] if key in NAMES else DEFINED[key])


def _laid_out(sql: str, dialect: str = "postgres") -> str:
    """One part a line, with what is bound as `:name`."""
    named = re.sub(r"%\((\w+)\)s", r":\1", sql)
    return sqlglot.transpile(named, read=dialect, write=dialect, pretty=True)[0]


def _by_stage() -> str:
    """The rules of the default model as one CASE over everybody's attributes, counted."""
    models = models_in_use()[:1]
    if not models:
        raise NotFound
    cases = {models[0].column: models[0].cases}
    statement = composer_for(models).statement(["value_at_risk"], engine="postgres", cases=cases)
    stage = models[0].column
    return _laid_out(
        f"SELECT {stage}, COUNT(*) AS customers, SUM(value_at_risk) AS value_at_risk"  # noqa: S608 -- composed
        f" FROM ({statement.sql}) AS everybody GROUP BY {stage}"
    )


def _profit() -> str:
    return _laid_out(
        f"SELECT customer_id, DATE_TRUNC('month', business_date) AS month, {SUMMED}"  # noqa: S608 -- our words
        f" FROM ({moved()}) AS moved GROUP BY 1, 2"
    )


def _stores() -> str:
    return _laid_out(re.sub(r"\$(\w+)", r":\1", STORES), "duckdb")


def _grid() -> str:
    return _laid_out(grid_statement(value_rules(), "TRUE"))


def _groups() -> str:
    return _laid_out(groups_statement("TRUE"))


def _open_warnings() -> str:
    rows = warnings_of(CHAIN_WIDE, Asked()).order_by().values("cause")
    return _laid_out(str(rows.annotate(customers=Count("pk"), at_risk=Sum("value_at_risk_minor")).query))


def _ended_warnings() -> str:
    rows = warnings_of(CHAIN_WIDE, Asked(ended="any")).order_by().values("ended").annotate(customers=Count("pk"))
    return _laid_out(str(rows.query))


def _past() -> str:
    """The days of everybody that rules are judged on; the judging is arithmetic over them."""
    return _laid_out(purchase_days(timezone.localdate()), "duckdb")


def _learned(column: str) -> Callable[[], str]:
    """Where it stands, and the purchase days from which it was learned and is asked."""

    def sql() -> str:
        stands = f"SELECT {column} FROM profiles_prediction WHERE customer_id = :customer_id"  # noqa: S608 -- our words
        days = COMPOSER.rows("days_bought", engine="postgres").sql
        return f"{_laid_out(stands)};\n\n{_laid_out(days)}"

    return sql


COUNTED: dict[str, tuple[str | Promise, str | Promise, Callable[[], str]]] = {
    "customers_by_stage": (
        _("Customers by stage"),
        _("everybody once, in the first stage of the model whose rule fits her on that day"),
        _by_stage,
    ),
    "profit_by_month": (
        _("Profit by month"),
        _("what was rendered in a month less what was given back, and its profit where costs are recorded"),
        _profit,
    ),
    "store_health": (
        _("Health of stores"),
        _("who bought in a store in a month, on how many days, who of an earlier quarter came back, and the profit"),
        _stores,
    ),
    "value_grid": (
        _("Value grid"),
        _("whoever ever bought, by how recently she was active and how often she bought in a year"),
        _grid,
    ),
    "value_groups": (
        _("Value group"),
        _("whoever ever bought, by value group, with what she spent and what she is expected to bring"),
        _groups,
    ),
    "open_warnings": (
        _("Open warnings"),
        _("silences in which the rule that warns held and that have not ended, and the money at risk in them"),
        _open_warnings,
    ),
    "ended_warnings": (
        _("What became of warnings"),
        _("warnings by how they ended: she came back by herself, after somebody reached her, or is lost"),
        _ended_warnings,
    ),
    "backtest": (
        _("Back-test"),
        _(
            "each rule run over the silences of the past: right if nothing was bought for the days that were asked,"
            " found if it warned 60 days before the loss"
        ),
        _past,
    ),
    "outlook": (
        _("Outlook"),
        _("the chance that she buys within the horizon: a closed form of what was learned, asked of her purchase days"),
        _learned("p_active_bp"),
    ),
    "expected_purchases": (
        _("Expected purchases"),
        _("purchase days expected within the horizon: a closed form of what was learned, asked of her purchase days"),
        _learned("expected_purchases_milli"),
    ),
    "expected_spend": (
        _("Expected spend"),
        _("expected purchase days times the money that one of hers is likely to bring"),
        _learned("expected_spend_minor"),
    ),
    "value_year": (
        _("Annual value"),
        _("what stays of the money expected over the coming year, later money being less"),
        _learned("value_year_minor"),
    ),
    "worth": (
        _("Discounted worth"),
        _("what stays of the money expected over the years that the chain counts, later money being less"),
        _learned("worth_minor"),
    ),
}
"""What pages count and what is learned: name, words, statement."""
