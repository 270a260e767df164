"""What a rule would have done to silences that are over or long enough."""

from dataclasses import asdict, dataclass

import numpy as np

from changke.engine.churn.silences import Silences
from changke.engine.clv.statistics import Floats

LEAST_ALERTS = 20
EARLY_DAYS = 60
"""How long before a lapse an alert must come to be of use."""


@dataclass(frozen=True)
class Judged:
    """A rule and how it did.

    Attributes
    ----------
    precision
        Alerts followed by `horizon_days` more of silence, of all alerts.
    recall
        Lapses alerted at the latest `early` days (60) before they were one, of all lapses.
    lead_days
        Mean over the lapses of the days from the alert to the lapse; none counts 0.
    false_per_100, alerts_per_100
        Wrong alerts and all alerts for each hundred silences.
    alerts_per_week
        Alerts for each week in which the judged silences began.
    kind
        fixed, gaps, outlook or fall.
    chosen_by
        How the threshold was found: "" (it is the rule itself), fixed_60 and the like (the precision of that rule),
        precision or alerts.
    latest_days
        The silent day on which it fires at the latest, whatever the score says; 0 without one.
    """

    rule: str
    threshold: float
    precision: float
    recall: float
    lead_days: float
    false_per_100: float
    alerts_per_100: float
    silences: int
    alerts_per_week: float = float("nan")
    kind: str = ""
    chosen_by: str = ""
    latest_days: int = 0

    def row(self) -> dict[str, object]:
        return asdict(self)


def judged(
    rule: str,
    threshold: float,
    fires_on: Floats,
    seen: Silences,
    *,
    horizon: int,
    lapse: int,
    weeks: float = 0.0,
    kind: str = "",
    chosen_by: str = "",
    latest: int = 0,
    early: int = EARLY_DAYS,
) -> Judged:
    """Judge by the silent day on which the rule fires; every outcome must have been observed."""
    fired = (seen.length > fires_on) & (fires_on <= lapse)
    true = fired & (seen.length > fires_on + horizon)
    lapsed = seen.length >= lapse
    lead = np.where(fired, np.clip(lapse - np.where(fired, fires_on, lapse), 0, lapse), 0.0)
    lapses, alerts, all_of_them = int(lapsed.sum()), int(fired.sum()), max(len(seen), 1)
    return Judged(
        rule, threshold,
        precision=float(true.sum() / alerts) if alerts else float("nan"),
        recall=float((fired & lapsed & (fires_on <= lapse - early)).sum() / lapses) if lapses else float("nan"),
        lead_days=float(lead[lapsed].mean()) if lapses else float("nan"),
        false_per_100=100.0 * (alerts - int(true.sum())) / all_of_them, alerts_per_100=100.0 * alerts / all_of_them,
        silences=len(seen), alerts_per_week=alerts / weeks if weeks > 0 else float("nan"),
        kind=kind, chosen_by=chosen_by, latest_days=latest,
    )  # fmt: skip


def known_precision(fires_on: Floats, seen: Silences, *, until: float, horizon: int, lapse: int) -> tuple[float, float]:
    """Precision, and alerts per 100, of those alerts whose outcome was known on the day `until`."""
    known = seen.began + fires_on + horizon <= until
    could = int((seen.began + horizon <= until).sum())
    fired = known & (seen.length > fires_on) & (fires_on <= lapse)
    true = fired & (seen.length > fires_on + horizon)
    alerts = int(fired.sum())
    return (float(true.sum() / alerts) if alerts >= LEAST_ALERTS else float("nan")), 100.0 * alerts / max(could, 1)


def weekly_alerts(fires_on: Floats, seen: Silences, *, until: float, lapse: int, back: float) -> float:
    """Alerts a week over the last `back` days before the day `until`; what came of them does not matter here."""
    day = seen.began + fires_on
    fired = (seen.length > fires_on) & (fires_on <= lapse) & (day > until - back) & (day <= until)
    return float(fired.sum()) * 7.0 / max(back, 1.0)
