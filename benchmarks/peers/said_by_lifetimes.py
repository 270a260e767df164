"""What lifetimes 0.11.3 says of each customer: `PYTHON benchmarks/peers/said_by_lifetimes.py ROWS.npz ANSWER.npz`."""

import json
import sys
import warnings

import lifetimes  # type: ignore[import-not-found]
import numpy as np
import pandas as pd  # type: ignore[import-untyped]

PENALTIES = (0.0, 0.001, 0.01, 0.1)
warnings.simplefilter("ignore")
np.seterr(all="ignore")


def fitted(fitter, columns, asks):  # type: ignore[no-untyped-def]
    """The first penalty with which it converges and answers with numbers, and those; None with none of them."""
    for penalty in PENALTIES:
        try:
            said = np.asarray(asks(fitter(penalizer_coef=penalty).fit(*columns)), float)
        except (lifetimes.utils.ConvergenceError, ValueError):
            continue
        if np.isfinite(said).all():
            return said, penalty
    return None, None


kept = np.load(sys.argv[1])
money, horizon = "amount" in kept, int(kept["horizon"])
rows = pd.DataFrame({name: kept[name] for name in ("customer_id", "date", "amount") if name in kept})
found = lifetimes.utils.summary_data_from_transaction_data(
    rows, "customer_id", "date", *(["amount"] if money else []), observation_period_end=str(kept["end"])
)
past = (found["frequency"], found["recency"], found["T"])
answer: dict[str, object] = {"customer_id": found.index.to_numpy().astype(np.int64)}
said = {"penalty": None, "money_penalty": None}
expected, said["penalty"] = fitted(
    lifetimes.BetaGeoFitter,
    past,
    lambda model: model.conditional_expected_number_of_purchases_up_to_time(horizon, *past),
)
if expected is not None:
    answer["expected"] = expected
if money:
    again = found[(found["frequency"] > 0) & (found["monetary_value"] > 0)]
    each, said["money_penalty"] = fitted(
        lifetimes.GammaGammaFitter,
        (again["frequency"], again["monetary_value"]),
        lambda model: model.conditional_expected_average_profit(found["frequency"], found["monetary_value"]),
    )
    if each is not None:
        answer["each"] = each
np.savez(sys.argv[2], **answer)
print(json.dumps(said))
