-- pace: her silence measured by her own rhythm. Shown, never deciding a stage.  grain: customer
-- inputs: silence, last_active, rhythm
-- silence_percent_of_gap    int    silence in percent of her usual gap
-- expected_next_visit_on    date   the day on which her usual gap ends
-- overdue_days              days   days past the expected next visit
SELECT silence.customer_id, silence.silent_days * 100 // NULLIF(rhythm.usual_gap_days, 0) AS silence_percent_of_gap,
       last_active.last_active_on + CAST(rhythm.usual_gap_days AS INTEGER) AS expected_next_visit_on,
       CASE WHEN silence.silent_days IS NOT NULL THEN GREATEST(silence.silent_days - rhythm.usual_gap_days, 0) END AS overdue_days
FROM silence
LEFT JOIN last_active ON last_active.customer_id = silence.customer_id
LEFT JOIN rhythm ON rhythm.customer_id = silence.customer_id
