# %% [markdown]
# # CDNOW: the fit of the papers, and why P(alive) ranks worse than a coin
#
# Run it cell by cell, or whole: `python docs/notebooks/cdnow.py FOLDER`, FOLDER holding `cdnow_master.parquet` and
# `cdnow_sample_ids.csv`.

# %%
import sys
from pathlib import Path

import duckdb
import numpy as np

from changke.engine.clv import BGNBD, summary
from changke.engine.prediction.days import Days
from changke.engine.prediction.past import area

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "cdnow")
master = duckdb.read_parquet(str(folder / "cdnow_master.parquet"))
ids = duckdb.read_csv(str(folder / "cdnow_sample_ids.csv"))
sample = duckdb.sql("SELECT * FROM master WHERE customer_id IN (SELECT customer_id FROM ids)")

# %% [markdown]
# The sample of 2,357, 39 weeks. Fader, Hardie and Lee: r 0.243, alpha 4.414, a 0.793, b 2.426, LL -9582.4.

# %%
found = summary(sample, observation_end="1997-09-30")
model = BGNBD().fit(x=found.x, t_x=found.t_x / 7, T=found.T / 7)
assert model.fit_ is not None
print(model)
print(f"LL {model.fit_.log_likelihood:.2f}")

# %% [markdown]
# Who comes in the 39 weeks after? The model gives everybody who bought once P(alive) = 1: she never had an occasion to
# leave. Most of those will never be seen again. So the ranking is upside down, while silence alone, and the outlook
# P(active), are right.

# %%
days = Days.of(master, observation_end="1998-06-30")
window = days.until(days.end - 273)
known, (came, _) = window.summary(), window.outcome(273)
everybody = BGNBD().fit(known)
past = (known.x, known.t_x, known.T)
once = known.x == 0
alive = everybody.p_alive(*past)
print(f"bought once: {once.mean():.0%}, P(alive) {alive[once].mean():.2f}, came {(came[once] > 0).mean():.0%}")
scores = {
    "P(alive)": alive,
    "silent days, fewest first": known.t_x - known.T,
    "P(active in 273 days)": everybody.p_active(273, *past),
    "expected purchases": everybody.expected_purchases(273, *past),
}
for name, score in scores.items():
    print(f"AUC {area(np.asarray(came > 0), score):.3f}  {name}")
