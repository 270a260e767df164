"""SQL of the triggers that keep who came to which store (`Guest`, docs/decisions/0092)."""

from changke.foundation.database.past_policies import trigger_past_policies

# Each pair is looked up by itself, by sub-selects that no planner turns into a join: the plan is kept for the session,
# and a join that was cheap while the tables were small reads all of them for every batch of facts.
COME = trigger_past_policies(
    "changke_guests_come",
    """  INSERT INTO public.facts_guest (store_id, customer_id, person_id)
  SELECT store_id, customer_id, person_id
  FROM (
    SELECT came.store_id, came.customer_id,
      (SELECT CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END
       FROM public.facts_customer AS record WHERE record.id = came.customer_id) AS person_id
    FROM (SELECT DISTINCT store_id, customer_id FROM fresh
          WHERE store_id IS NOT NULL AND customer_id IS NOT NULL AND withdrawn_by_id IS NULL) AS came
    WHERE (SELECT known.customer_id FROM public.facts_guest AS known
           WHERE known.store_id = came.store_id AND known.customer_id = came.customer_id) IS NULL
  ) AS new
  WHERE person_id IS NOT NULL  -- whoever does not exist is refused by the check of references
  ORDER BY customer_id, store_id  -- so that two batches never wait for each other in a circle
  ON CONFLICT (customer_id, store_id) DO NOTHING;
""",
    clause="SET enable_seqscan = off",
)
