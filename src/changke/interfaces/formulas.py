"""What is computed rather than counted, as formulas with the numbers that were learned in their places.

The signs: x purchase days after the first; t the day of the last of them and T today, in days since the first; h days
ahead. docs/algorithms/outlook.md, clv.md, risk.md, affinity.md say why.
"""

from changke.engine.affinity.parts import PARTS
from changke.engine.affinity.season import SHRINK_DAYS
from changke.engine.affinity.weights import Weights
from changke.engine.clv.coins import CoinModel
from changke.engine.clv.model import PurchaseModel
from changke.engine.clv.pareto_nbd import ParetoNBD
from changke.engine.clv.regular import RegularModel
from changke.engine.clv.robust_spend import CLIP
from changke.engine.prediction.fitted import QUARTERS, Fitted
from changke.engine.prediction.margins import Margins
from changke.profiles.value.models import ValueRules

SIGNS = "x, t, T, h: purchase days after the first; day of the last; today; days ahead (t and T since the first)"


def of_model(model: PurchaseModel) -> list[str]:
    """P(here), P(buys) and the numbers of one model of purchases."""
    values = {"k": float(model.k), **model.values()} if isinstance(model, RegularModel) else model.values()
    told = f"{model.name}: " + ", ".join(f"{name} = {value:.6g}" for name, value in values.items())
    if isinstance(model, RegularModel):
        coins = _coins(model)
        return [
            told,
            "w(T) = Σ j=0…k−1 of Γ(r+kx+j)/j! · (T−t)^j / (α+T)^(r+kx+j)",
            f"gone = B(a+1, b+{coins}−1)/B(a, b+{coins}) · Γ(r+kx)/(α+t)^(r+kx)",
            f"P(here) = w(T) / (w(T) + gone){_sure(model)}",
            "P(buys) = P(here) · (1 − w(T+h)/w(T))",
        ]
    if isinstance(model, CoinModel):
        return [
            told,
            f"P(here) = 1 / (1 + a/(b+{_coins(model)}−1) · ((α+T)/(α+t))^(r+x)){_sure(model)}",
            "P(buys) = P(here) · (1 − ((α+T)/(α+T+h))^(r+x))",
        ]
    assert isinstance(model, ParetoNBD)
    return [
        told,
        "f(u, v) = s · ∫ from u to v of (α+y)^−(r+x) · (β+y)^−(s+1) dy;  g(u) = (α+u)^−(r+x) · (β+u)^−s",
        "P(here) = g(T) / (g(T) + f(t, T))",
        "P(buys) = P(here) · (1 − (g(T+h) + f(T, T+h)) / g(T))",
    ]


def _coins(model: CoinModel) -> str:
    return "(x+1)" if model.first_coin else "x"


def _sure(model: CoinModel) -> str:
    return "" if model.first_coin else ";  1 where x = 0"


def of_outlook(learned: Fitted) -> list[str]:
    """The chance that she buys within the horizon."""
    holidays = f" · {learned.holidays:.6g}" if learned.holidays != 1.0 else ""
    lines = [SIGNS, f"h = {learned.horizon_days} · {learned.busy:.6g}{holidays}"]
    for model in learned.models.models:
        lines += of_model(model)
    lines.append("p = " + _mean("P(buys)", learned))
    if learned.tilt.chance:
        lines += [_purse(learned), (
            f"p_active = 1 / (1 + exp(−(ln(p/(1−p)) + {learned.tilt.chance_level:.6g}"
            f" + {learned.tilt.chance:.6g} · purse)))"
        )]  # fmt: skip
    return lines


def _mean(what: str, learned: Fitted) -> str:
    """Of the models: the plain mean, or as far as each counts."""
    models, weights = learned.models.models, learned.models.weights
    if not learned.models.loose:
        return f"mean of {what} over the {len(models)} models" if len(models) > 1 else what
    parts = (f"{weight:.6g} · {model.name}" for weight, model in zip(weights, models, strict=True))
    return f"{what}, weighed: {' + '.join(parts)}"


def of_days(learned: Fitted) -> list[str]:
    """Purchase days expected within the horizon."""
    lines = [
        *of_outlook(learned),
        "E = " + _mean("Σ n ≥ 1 of P(at least n purchase days within h)", learned),
    ]
    if learned.tilt.days:
        days = f"exp({learned.tilt.days_level:.6g} + {learned.tilt.days:.6g} · purse)"
        lines += [_purse(learned), f"expected_purchases = E · {days}"]
    return list(dict.fromkeys(lines))


def of_money(learned: Fitted) -> list[str]:
    """Money expected within the horizon."""
    return [*of_days(learned), *_each(learned), f"expected_spend = E · each · {learned.level:.6g}"]


def of_year(learned: Fitted, rules: ValueRules, margins: Margins) -> list[str]:
    """The annual value."""
    return [
        *of_days(learned),
        *_each(learned),
        *_stays(rules, margins),
        _walk("value_year", learned, rules),
    ]


def of_worth(learned: Fitted, rules: ValueRules, margins: Margins) -> list[str]:
    """What the years that the chain counts are worth."""
    further = (
        f"worth = value_year + stays · each · {learned.level:.6g} · Σ y=2…{rules.worth_years}"
        f" of (E(365y) − E(365(y−1))) · {1 + rules.discount_percent / 100:.6g}^−(middle of the year / 365.25)"
    )
    return [*of_year(learned, rules, margins), further if rules.worth_years > 1 else "worth = value_year"]


def _walk(name: str, learned: Fitted, rules: ValueRules) -> str:
    return (
        f"{name} = stays · each · {learned.level:.6g} · Σ q=1…{QUARTERS} of (E(365q/{QUARTERS})"
        f" − E(365(q−1)/{QUARTERS})) · {1 + rules.discount_percent / 100:.6g}^−(middle of the quarter / 365.25)"
    )


def _stays(rules: ValueRules, margins: Margins) -> list[str]:
    """The share of her money that stays: the chain's and, as far as receipts say it, hers."""
    chain = margins.of_chain(rules.margin_percent)
    if chain is None:
        return ["stays = 1: what stays of the money is not known, so values are revenue"]
    if margins.share is None:
        return [f"stays = {chain:.6g}"]
    weight = f"{margins.weight_minor / 100:.6g}"
    return [f"stays = (her profit + {weight} · {chain:.6g}) / (her revenue of which it is known + {weight}), 0 to 1"]


def _purse(learned: Fitted) -> str:
    tilt = learned.tilt
    return f"purse = (ln(each) − {tilt.centre:.6g}) / {tilt.scale:.6g}, at most 2.5 either way"


def _each(learned: Fitted) -> list[str]:
    if learned.spend is None:
        return []
    values = learned.spend.values()
    within, between = values["within"], values["between"]
    return [
        f"w = d · {between:.6g} / (d · {between:.6g} + {within:.6g}), d: days on which she paid",
        f"each = {values['level']:.6g} · (w · min(her mean, exp(her mean of logarithms + {CLIP:.6g} · √{within:.6g}))"
        f" + (1 − w) · exp({values['centre']:.6g}))",
    ]


def of_warnings(learned: Fitted) -> list[str]:
    """The outlook that warnings go by, and its fall. It is the chance that she buys, as everywhere."""
    return [
        *of_outlook(learned),
        "outlook = p_active today",
        "fall = outlook / outlook on the day of the last purchase (T = t)",
    ]


PARTS_SAY = [
    "had = 1 if she ever had it;  times = ln(1 + n), n days on which she had it;  share = n / b, b days of hers;"
    "  share_by_baskets = share · ln(b);  in_last_basket = 1 if on her last day;  since = ln(1 + days since)",
    "faded_h = Σ over her days with it of 2^(−days since / h)",
    "due = ln((1 + days since) / usual cycle of the item);  early = min(due, 0);  late = max(due, 0)",
    "alike_h = ln(30 · Σ over the customers most like her of likeness · faded_h of theirs + 0.001), likeness: cosine"
    " of faded_180, adding up to 1",
    "goes_with_last = ln(Σ over the items of her last day of cos + 0.05);  goes_with_lately = ln(Σ over her items of"
    " faded_90 · cos + 0.05)",
    "cos = baskets with both / (√(baskets with one · baskets with the other) + 20)",
    "sold_d = ln(1 + times it was had in the last d days);  had_and_sold_now = had · sold_30",
    "since, due and had_and_sold_now are 0 of what she never had",
]
"""What each part of a proposal is computed of, as `engine.affinity.parts` does."""


def of_weights(weights: Weights) -> list[str]:
    """The chance that an item is among what she has next."""
    parts = " ".join(
        f"{'+' if value >= 0 else '−'} {abs(value):.4g} · {part}"
        for part, value in zip(PARTS, weights.values, strict=True)
    )
    return [f"chance = 1 / (1 + exp(−z));  z = {weights.intercept:.4g} {parts}", *PARTS_SAY]


LIFT = [
    "share = both / had",
    "lift = share · all / had_other",
    "at least = lift · exp(−1.96 · √(1/both − 1/had − 1/had_other + 2·both/(had·had_other) − 1/all))",
]
CAME_BACK = ["difference = returned/customers − alone_returned/alone, with the bounds of Newcombe at 95 %"]
SEASON = [
    "hoped = Σ over the years of (days of the item in the year around · all days of the month / all days of that year)",
    f"index = (days of the item in the month, all years + {SHRINK_DAYS:g}) / (hoped + {SHRINK_DAYS:g})",
]
GROUP_SHARE = ["share = (customers + 50 · share of everybody) / (members + 50)"]
MEDIAN = ["the lowest number of days at which half of the weight is reached, of at least 5 times"]
JUDGED = [
    "right = warnings followed by the days asked without a purchase / all warnings",
    "found = losses warned of at least 60 days before / all losses",
    "days before the loss = mean of (day of the loss − day of the warning), 0 where there was none",
    "wrong in 100 = 100 · warnings followed by a purchase / silences",
]
