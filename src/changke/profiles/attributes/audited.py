"""Everything here is computed from facts and can be computed again."""

from changke.foundation.audit.kinds import leave_out

for table in ("profile", "populationversion", "bulkrun", "population_chain_pace", "population_rfm_bounds"):
    leave_out(f"profiles_{table}", "computed from facts")
