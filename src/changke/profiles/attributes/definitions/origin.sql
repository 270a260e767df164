-- origin: whether somebody brought her.   grain: customer
-- inputs: origins
-- was_brought   bool=false   brought by another customer
SELECT customer_id, TRUE AS was_brought FROM origins
