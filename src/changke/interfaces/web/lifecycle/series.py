"""From the counts and flows of the charts to what the page shows. Pure: no database, no clock, no words."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from changke.interfaces.web.lifecycle.colours import WORSE
from changke.profiles.lifecycle.queries import Count, Flow
from changke.profiles.value.profit import Profit, total

MOST_LEAKS = 4
NEWCOMERS = "new"


@dataclass(frozen=True)
class StageNow:
    """One stage on the last day shown. `change` is a share of one against the day before; None without a day before."""

    stage: str
    customers: int
    value_minor: int
    share: float
    change: float | None
    spark: tuple[int, ...]

    @property
    def grew(self) -> bool:
        return (self.change or 0) >= 0

    @property
    def is_good(self) -> bool:
        """Fewer lost is good news, fewer loyal is not."""
        return self.grew != (self.stage in WORSE) or self.change == 0


@dataclass(frozen=True)
class Leak:
    """Customers who went where nobody wants them, and what they are worth."""

    from_stage: str
    to_stage: str
    customers: int
    value_minor: int
    share: float
    """Of those who stood in the first stage."""


def stages_now(
    stages: Sequence[str], table: Mapping[dt.date, Mapping[str, Count]], days: Sequence[dt.date]
) -> list[StageNow]:
    """Every stage of the model on the last of `days`, with its way there."""
    last, before = days[-1], days[-2] if len(days) > 1 else None
    total = sum(count.customers for count in table.get(last, {}).values())
    return [
        StageNow(
            stage=stage,
            customers=_customers(table, last, stage),
            value_minor=table[last][stage].value_minor if stage in table.get(last, {}) else 0,
            share=_customers(table, last, stage) / total if total else 0.0,
            change=_change(_customers(table, before, stage), _customers(table, last, stage)) if before else None,
            spark=tuple(_customers(table, day, stage) for day in days[-12:]),
        )
        for stage in stages
    ]


def leaks(flows: Sequence[Flow], *, on: dt.date) -> list[Leak]:
    """Flows of the last interval into worse stages, the most valuable first."""
    here = [flow for flow in flows if flow.day == on]
    stood: dict[str, int] = {}
    for flow in here:
        stood[flow.from_stage] = stood.get(flow.from_stage, 0) + flow.customers
    worse = [
        flow
        for flow in here
        if flow.from_stage and flow.from_stage != flow.to_stage and flow.to_stage in WORSE
        and not (flow.from_stage == "lost" and flow.to_stage == "silent")  # on her way back
    ]  # fmt: skip
    ranked = sorted(worse, key=lambda flow: (-flow.value_minor, -flow.customers, flow.from_stage, flow.to_stage))
    return [
        Leak(flow.from_stage, flow.to_stage, flow.customers, flow.value_minor, flow.customers / stood[flow.from_stage])
        for flow in ranked[:MOST_LEAKS]
    ]


def river(
    flows: Sequence[Flow],
    days: Sequence[dt.date],
    *,
    words: Mapping[str, str],
    colours: Mapping[str, str],
    labels: Sequence[str],
    unit: str,
    newcomers: str,
    hrefs: Mapping[tuple[str, str], str],
) -> dict[str, object]:
    """The data of the Sankey picture: a column per day, a band per flow. `hrefs` lead to the people of the last one."""
    order = {stage: place for place, stage in enumerate(words)}
    column = {day: place for place, day in enumerate(days)}
    nodes: dict[str, dict[str, object]] = {}
    links = []

    def node(place: int, stage: str) -> str:
        key = f"{place}:{stage or NEWCOMERS}"
        named = {"words": words.get(stage, newcomers), "stage": colours.get(stage, NEWCOMERS)}
        nodes.setdefault(key, {"key": key, "column": place, **named})
        return key

    for flow in flows:
        if flow.day not in column or flow.before not in column:
            continue
        link: dict[str, object] = {
            "from": node(column[flow.before], flow.from_stage),
            "to": node(column[flow.day], flow.to_stage),
            "count": flow.customers,
            "worse": flow.to_stage in WORSE and flow.from_stage != flow.to_stage,
        }
        if flow.day == days[-1] and (href := hrefs.get((flow.from_stage, flow.to_stage))):
            link["href"] = href
        links.append(link)

    def in_order(one: Mapping[str, object]) -> tuple[int, int]:
        place, stage = str(one["key"]).split(":", 1)
        return int(place), order.get(stage, len(order))

    return {"columns": list(labels), "unit": unit, "nodes": sorted(nodes.values(), key=in_order), "links": links}


def composition(
    stages: Sequence[str],
    table: Mapping[dt.date, Mapping[str, Count]],
    days: Sequence[dt.date],
    *,
    words: Mapping[str, str],
    colours: Mapping[str, str],
    labels: Sequence[str],
    unit: str,
    of_value: bool = False,
) -> dict[str, object]:
    """The data of the stacked areas: customers per stage and day, or their value."""
    return {
        "labels": list(labels),
        "unit": unit,
        "series": [
            {
                "name": words[stage],
                "colour": colours[stage],
                "values": [_value(table, day, stage) if of_value else _customers(table, day, stage) for day in days],
            }
            for stage in stages
        ],
    }


@dataclass(frozen=True)
class ProfitRow:
    """What the stages brought in one month, in minor units; None where no profit is known."""

    stages: Mapping[str, int | None]
    together: int | None
    known_share: float | None
    """On how much of the month's revenue the profit rests."""


def profit_rows(
    stages: Sequence[str],
    table: Mapping[dt.date, Mapping[str, Count]],
    brought: Mapping[dt.date, Mapping[str, Profit]],
    days: Sequence[dt.date],
    *,
    each: bool = False,
) -> list[ProfitRow]:
    """A row per day of the charts. `each`: divided by the customers who stood in the stage, whoever bought or not.

    A stage in which nobody's receipts fell brought nothing; without a customer there is no profit per customer.
    """

    def told(margin: int | None, customers: int) -> int | None:
        if margin is None or not each:
            return margin
        return round(margin / customers) if customers else None

    rows = []
    for day in days:
        here = brought.get(day, {})
        whole = total(list(here.values()))
        everybody = sum(_customers(table, day, stage) for stage in stages)
        rows.append(
            ProfitRow(
                {
                    stage: told(here[stage].margin_minor if stage in here else 0, _customers(table, day, stage))
                    for stage in stages
                },
                told(whole.margin_minor if here else 0, everybody),
                whole.known_share,
            )
        )
    return rows


def _customers(table: Mapping[dt.date, Mapping[str, Count]], day: dt.date, stage: str) -> int:
    count = table.get(day, {}).get(stage)
    return count.customers if count else 0


def _value(table: Mapping[dt.date, Mapping[str, Count]], day: dt.date, stage: str) -> int:
    count = table.get(day, {}).get(stage)
    return count.value_minor if count else 0


def _change(before: int, now: int) -> float | None:
    return (now - before) / before if before else None
