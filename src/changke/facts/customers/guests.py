"""SQL of the triggers that keep who came to which store (`Guest`, docs/decisions/0092)."""

from changke.foundation.database.past_policies import trigger_past_policies

# Whom the facts name goes into an array first; everything is looked up by it and put together by hashing. The plan is
# kept for the session: one that was cheap while the tables were small would read all of them for every batch of facts,
# or walk through the new ones once for each of them.
COME = trigger_past_policies(
    "changke_guests_come",
    """  SELECT array_agg(DISTINCT customer_id) INTO them FROM fresh
  WHERE store_id IS NOT NULL AND customer_id IS NOT NULL AND withdrawn_by_id IS NULL;
  IF them IS NOT NULL THEN
    INSERT INTO public.facts_guest (store_id, customer_id, person_id)
    SELECT came.store_id, came.customer_id, record.person_id
    FROM (SELECT DISTINCT store_id, customer_id FROM fresh
          WHERE store_id IS NOT NULL AND customer_id IS NOT NULL AND withdrawn_by_id IS NULL) AS came
    -- whoever does not exist is refused by the check of references
    JOIN (SELECT id, CASE WHEN merged_into_id IS NULL THEN id ELSE merged_into_id END AS person_id
          FROM public.facts_customer WHERE id = ANY(them)) AS record ON record.id = came.customer_id
    LEFT JOIN (SELECT customer_id, store_id FROM public.facts_guest WHERE customer_id = ANY(them)) AS known
      ON known.customer_id = came.customer_id AND known.store_id = came.store_id
    WHERE known.customer_id IS NULL
    ORDER BY came.customer_id, came.store_id  -- so that two batches never wait for each other in a circle
    ON CONFLICT (customer_id, store_id) DO NOTHING;
  END IF;
""",
    declare="  them bigint[];\n",
    clause="SET enable_seqscan = off SET enable_nestloop = off",
)
