"""The same work with our own, as its peers do it: `python -m benchmarks.peers.with_ours ROWS.npz`."""

import json
import sys

import numpy as np
import pyarrow as pa
from benchmarks.peers.stages import stage

from changke.engine.clv import BGNBD, summary

kept = np.load(sys.argv[1])
rows = pa.table({name: kept[name] for name in ("customer_id", "date", "amount")})
end, horizon = str(kept["end"]), int(kept["horizon"])

found = stage("summary", lambda: summary(rows, observation_end=end))
rows = None
past = (found.x, found.t_x, found.T)
model = stage("fit", lambda: BGNBD().fit(found))
stage("p_alive", lambda: model.p_alive(*past))
stage("p_active", lambda: model.p_active(horizon, *past))
stage("expected_purchases", lambda: model.expected_purchases(horizon, *past))
stage("everything", lambda: model.predict(found, horizon=horizon))
print(json.dumps({**model.values(), "evaluations": model.fit_.evaluations, "rows": model.fit_.rows}))
