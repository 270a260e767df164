"""What may have driven her away, from facts. docs/algorithms/risk.md has the table."""

import datetime as dt
from typing import Any

from django.db import connection, transaction

from changke.profiles.risk.models import ChurnWarning
from changke.profiles.risk.rules import CAUSES, IGNORED_OTHERS, TOPICS

BEFORE_DAYS = 30
"""How long before her last purchase a fact may lie."""
SLICE = 1_000


def find_causes(*, today: dt.date) -> int:
    """Look for the causes of every open warning again; how many have changed."""
    changed = last = 0
    rows = ChurnWarning.objects.filter(ended_on__isnull=True).order_by("pk")
    while some := list(rows.filter(pk__gt=last).values_list("pk", flat=True)[:SLICE]):
        last = some[-1]
        values: dict[str, Any] = {
            "ids": some,
            "before": BEFORE_DAYS,
            "today": today,
            "topics": list(TOPICS),
            "meant": list(TOPICS.values()),
            "order": list(CAUSES),
            "others": IGNORED_OTHERS,
        }
        with transaction.atomic(), connection.cursor() as sql:
            sql.execute(FOUND, values)
            changed += sql.rowcount
    return changed


# Of each cause the latest fact; then the causes in their order.
FOUND = """
WITH asked AS (
  SELECT warning.id, warning.customer_id, warning.silent_since, warning.opened_on, record.id AS record_id
  FROM profiles_churnwarning AS warning
  JOIN facts_customer AS record ON
    CASE WHEN record.merged_into_id IS NULL THEN record.id ELSE record.merged_into_id END = warning.customer_id
  WHERE warning.id = ANY(%(ids)s)
), told AS (
  SELECT asked.id, CASE WHEN event.kind = 'customer.changed' THEN 'moved'
      ELSE COALESCE(meant.cause, 'complaint') END AS cause, 'event:' || event.id AS fact, event.business_date AS day
  FROM asked JOIN facts_event AS event ON event.customer_id = asked.record_id
  LEFT JOIN unnest(%(topics)s::text[], %(meant)s::text[]) AS meant(topic, cause) ON meant.topic = event.data ->> 'topic'
  WHERE event.withdrawn_by_id IS NULL AND event.business_date BETWEEN asked.silent_since - %(before)s AND %(today)s
    AND (event.kind = 'complaint.received' OR (event.kind = 'note.written' AND meant.cause IS NOT NULL)
      OR (event.kind = 'customer.changed' AND event.data -> 'fields' ? 'city'))
    -- An objection is a cause where nothing answered it: neither a purchase after it nor anybody who reached her.
    AND (meant.cause IS DISTINCT FROM 'objection' OR (event.business_date >= asked.silent_since AND NOT EXISTS (
      SELECT 1 FROM asked AS same JOIN facts_event AS answer ON answer.customer_id = same.record_id
      WHERE same.id = asked.id AND answer.kind = 'followup.recorded' AND answer.data ->> 'outcome' = 'done'
        AND answer.withdrawn_by_id IS NULL AND answer.happened_at > event.happened_at)))
), bought AS (
  SELECT asked.id, asked.silent_since, receipt.id AS receipt_id, receipt.kind, receipt.business_date, receipt.staff_id,
    receipt.cash_minor, row_number() OVER (PARTITION BY asked.id, receipt.kind = 'return'
      ORDER BY receipt.business_date DESC, receipt.id DESC) AS place
  FROM asked JOIN facts_receipt AS receipt ON receipt.customer_id = asked.record_id
  WHERE receipt.withdrawn_by_id IS NULL AND receipt.business_date >= asked.silent_since - 730
), gave_back AS (
  SELECT id, 'gave_back' AS cause, 'receipt:' || receipt_id AS fact, business_date AS day
  FROM bought WHERE kind = 'return' AND business_date >= silent_since AND cash_minor > 0
), served AS (
  SELECT DISTINCT ON (bought.id) bought.id, bought.staff_id, MAX(bought.business_date) AS day
  FROM bought WHERE kind <> 'return' AND place <= 5 AND staff_id IS NOT NULL
  GROUP BY bought.id, bought.staff_id ORDER BY bought.id, COUNT(*) DESC, bought.staff_id
), staff_left AS (
  SELECT served.id, 'staff_left' AS cause, 'staff:' || served.staff_id AS fact, served.day
  FROM served JOIN foundation_staff AS person ON person.id = served.staff_id
  WHERE NOT person.is_active
), lines AS (
  SELECT bought.id, bought.receipt_id, bought.business_date, bought.silent_since, line.item_id, line.amount_minor,
    line.unit_price_minor, item.kind
  FROM bought JOIN facts_line AS line ON line.receipt_id = bought.receipt_id
  JOIN facts_item AS item ON item.id = line.item_id
  WHERE bought.kind = 'sale'
), pushed AS (
  SELECT lines.id, 'oversold' AS cause, 'receipt:' || MAX(receipt_id) AS fact, MAX(business_date) AS day
  FROM lines WHERE business_date = silent_since AND kind IN ('card', 'topup')
  GROUP BY lines.id
  HAVING SUM(amount_minor) >= 2 * (SELECT AVG(daily.spent) FROM (
    SELECT SUM(cash_minor) AS spent FROM bought AS usual
    WHERE usual.id = lines.id AND usual.kind = 'sale' AND usual.business_date < usual.silent_since
    GROUP BY usual.business_date) AS daily)
), dearer AS (
  SELECT DISTINCT ON (now.id) now.id, 'price' AS cause, 'receipt:' || now.receipt_id AS fact, now.business_date AS day
  FROM lines AS now JOIN LATERAL (
    SELECT earlier.unit_price_minor FROM lines AS earlier
    WHERE earlier.id = now.id AND earlier.item_id = now.item_id AND earlier.business_date < now.business_date
    ORDER BY earlier.business_date DESC, earlier.receipt_id DESC LIMIT 1) AS before ON true
  WHERE now.business_date = now.silent_since AND before.unit_price_minor > 0
    AND now.unit_price_minor * 10 >= before.unit_price_minor * 11
  ORDER BY now.id, now.receipt_id
), silent AS (
  SELECT bought.id, MAX(bought.receipt_id) AS receipt_id, MAX(bought.business_date) AS day
  FROM bought WHERE kind <> 'return' AND business_date = silent_since GROUP BY bought.id
), alone AS (
  SELECT warning.id, person.home_store_id AS store_id, warning.silent_since, warning.opened_on,
    silent.receipt_id, silent.day
  FROM silent JOIN profiles_churnwarning AS warning ON warning.id = silent.id
  JOIN facts_customer AS person ON person.id = warning.customer_id
  WHERE NOT EXISTS (
    SELECT 1 FROM asked JOIN facts_event AS event ON event.customer_id = asked.record_id
    WHERE asked.id = warning.id AND event.withdrawn_by_id IS NULL
      AND event.business_date BETWEEN warning.silent_since AND warning.opened_on
      AND (event.kind IN ('note.written', 'app.opened', 'complaint.received')
        OR (event.kind = 'followup.recorded' AND event.data ->> 'outcome' IN ('done', 'not_reached', 'lost'))))
), reached AS (
  -- How often each store had reached somebody until each day that is asked about: one walk, whatever the warnings.
  SELECT store_id, day, SUM(SUM(times)) OVER (PARTITION BY store_id ORDER BY day) AS times FROM (
    SELECT store_id, business_date AS day, 1 AS times FROM facts_event
    WHERE kind = 'followup.recorded' AND data ->> 'outcome' = 'done' AND withdrawn_by_id IS NULL
      AND business_date BETWEEN (SELECT MIN(silent_since) FROM alone) AND (SELECT MAX(opened_on) FROM alone)
    UNION ALL SELECT store_id, silent_since - 1, 0 FROM alone UNION ALL SELECT store_id, opened_on, 0 FROM alone
  ) AS told GROUP BY store_id, day
), ignored AS (
  SELECT alone.id, 'ignored' AS cause, 'receipt:' || alone.receipt_id AS fact, alone.day FROM alone
  JOIN reached AS before ON before.store_id = alone.store_id AND before.day = alone.silent_since - 1
  JOIN reached AS until ON until.store_id = alone.store_id AND until.day = alone.opened_on
  WHERE until.times - before.times >= %(others)s
), everything AS (
  SELECT DISTINCT ON (id, cause) id, cause, fact, day FROM (
    SELECT id, cause, fact, day FROM told UNION ALL SELECT id, cause, fact, day FROM gave_back
    UNION ALL SELECT id, cause, fact, day FROM staff_left UNION ALL SELECT id, cause, fact, day FROM pushed
    UNION ALL SELECT id, cause, fact, day FROM dearer UNION ALL SELECT id, cause, fact, day FROM ignored) AS found
  ORDER BY id, cause, day DESC, fact
), listed AS (
  SELECT warning.id, COALESCE(jsonb_agg(jsonb_build_object('cause', cause, 'fact', fact, 'on', day)
      ORDER BY array_position(%(order)s::text[], cause)) FILTER (WHERE cause IS NOT NULL), '[]') AS causes
  FROM unnest(%(ids)s::bigint[]) AS warning(id) LEFT JOIN everything ON everything.id = warning.id
  GROUP BY warning.id
)
UPDATE profiles_churnwarning AS warning
SET causes = listed.causes, cause = COALESCE(listed.causes -> 0 ->> 'cause', '')
FROM listed WHERE warning.id = listed.id AND warning.causes IS DISTINCT FROM listed.causes
"""
