# The code of the notebooks cdnow.*.ipynb; their words, in three languages, are in words/. `make docs` writes them.

# %% [markdown] title

# %%
import datetime as dt
import os
from pathlib import Path

import duckdb
import numpy as np

from changke.engine import churn, clv, outlook
from changke.engine.synthetic import invent

folder = Path(os.environ.get("CDNOW", "cdnow"))
has_cdnow = (folder / "cdnow_master.parquet").exists()
if has_cdnow:
    master = duckdb.read_parquet(str(folder / "cdnow_master.parquet"))
    ids = duckdb.read_csv(str(folder / "cdnow_sample_ids.csv"))
    sample = duckdb.sql("SELECT * FROM master WHERE customer_id IN (SELECT customer_id FROM ids)")
    cut, end = "1997-09-30", "1998-06-30"
else:
    receipts = invent(7, today=dt.date(2026, 6, 30), customers=2000, stores=3, years=3).receipts
    known = (receipts.customer >= 0) & (np.array(receipts.kind) == "sale")
    master = sample = {
        "customer_id": receipts.customer[known],
        "date": receipts.business_date[known].astype("datetime64[us]"),
        "amount": receipts.cash_minor[known] / 100,
    }
    cut, end = "2025-09-30", "2026-06-30"

# %% [markdown] fit

# %%
found = clv.summary(sample, observation_end=cut)
model = clv.BGNBD().fit(x=found.x, t_x=found.t_x / 7, T=found.T / 7)
print(model)
print(f"LL {model.fit_.log_likelihood:.2f}")

# %% [markdown] coin

# %%
split = clv.calibration_holdout(master, calibration_end=cut, observation_end=end)
past = (split.calibration.x, split.calibration.t_x, split.calibration.T)
came, once = split.purchases > 0, split.calibration.x == 0
everybody = clv.BGNBD().fit(split.calibration)
alive = everybody.p_alive(*past)
scores = {
    "P(alive)": alive,
    "silence": past[1] - past[2],
    "P(active)": everybody.p_active(split.days, *past),
    "E[purchases]": everybody.expected_purchases(split.days, *past),
}
print(f"x = 0: {once.mean():.0%}, P(alive) {alive[once].mean():.2f}, {came[once].mean():.0%}")
auc = {name: churn.area(came, score) for name, score in scores.items()}
for name, value in auc.items():
    print(f"AUC {value:.3f}  {name}")

# %% [markdown] outlook

# %%
said = outlook(master, observation_end=cut, horizon_days=split.days, boosting=False)
auc["outlook"] = churn.area(came, said["p_active"])
inside = (split.purchases >= said["purchases_low"]) & (split.purchases <= said["purchases_high"])
print(f"AUC {auc['outlook']:.3f}")
print(f"{said['expected_purchases'].sum():.0f} / {split.purchases.sum():.0f}")
print(f"{said['purchases_inside'].mean():.0%} / {inside.mean():.0%}")
for note in said.notes:
    print(note)

# %% [markdown] warn

# %%
judged = churn.backtest(sample, horizon_days=90, observation_end=end)
print(judged.signal)
for rule in judged.rules:
    print(f"{rule.rule:<16} {rule.precision:.2f} {rule.recall:.2f} {rule.lead_days:.0f}")
