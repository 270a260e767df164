"""SQL of the view of what is sold, as definitions ask it: items and categories by numbers that are made of their names.

A name of a column holds letters and digits, a code of an item and a name of a category any text. So a column that
counts one of them is named by its number (`rules.name_key`, docs/decisions/0124), and the mirror needs no text.
"""

KEY = "('x' || left(encode(sha256(convert_to({name}, 'UTF8')), 'hex'), 10))::bit(40)::bigint"
"""`rules.name_key` in PostgreSQL's words."""

SOLD = f"""
SELECT item.id, item.kind, {KEY.format(name="item.code")} AS item_key, item.category_id,
       {KEY.format(name="category.name")} AS category_key
FROM facts_item AS item LEFT JOIN facts_category AS category ON category.id = item.category_id
"""  # noqa: S608 -- words of our own
