-- silence: how long ago she was active.                                        grain: customer
-- inputs: last_active
-- silent_days      days   days since she was last active
SELECT customer_id, DATE_DIFF('day', last_active_on, :today) AS silent_days FROM last_active
