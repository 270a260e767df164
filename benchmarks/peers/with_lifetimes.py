"""The same work with lifetimes 0.11.3: `PYTHON benchmarks/peers/with_lifetimes.py ROWS.npz`."""

import sys

import lifetimes  # type: ignore[import-not-found]
import numpy as np
import pandas as pd  # type: ignore[import-untyped]
from stages import stage  # type: ignore[import-not-found]

kept = np.load(sys.argv[1])
rows = pd.DataFrame({name: kept[name] for name in ("customer_id", "date", "amount")})
end, horizon = str(kept["end"]), int(kept["horizon"])

found = stage(
    "summary",
    lambda: lifetimes.utils.summary_data_from_transaction_data(
        rows, "customer_id", "date", "amount", observation_period_end=end
    ),
)
rows = None
past = (found["frequency"], found["recency"], found["T"])
model = stage("fit", lambda: lifetimes.BetaGeoFitter().fit(*past))
stage("p_alive", lambda: model.conditional_probability_alive(*past))
stage("expected_purchases", lambda: model.conditional_expected_number_of_purchases_up_to_time(horizon, *past))
print(model.params_.to_json())
