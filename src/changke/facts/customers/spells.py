"""SQL of the triggers that write down from which day to which a record wore a tag (`TagSpell`, docs/decisions/0128)."""

from changke.foundation.database.past_policies import trigger_past_policies

KEY = "('x' || left(encode(sha256(convert_to({name}, 'UTF8')), 'hex'), 15))::bit(60)::bigint"
"""`rules.tag_key` in PostgreSQL's words."""

ZONE = "coalesce(home.time_zone, (SELECT time_zone FROM public.foundation_chain LIMIT 1), 'UTC')"
"""A day is the day where her home store is."""


def spells(tags: str, *, number: str, ended_at: str = "NULL::timestamptz") -> str:
    """INSERT of the spells of the rows of a table or a query; safe to repeat."""
    return f"""
INSERT INTO public.facts_tagspell (id, customer_id, tag_key, first_on, ended_on)
SELECT {number}, tag.customer_id, {KEY.format(name="tag.name")}, (tag.recorded_at AT TIME ZONE {ZONE})::date,
       ({ended_at} AT TIME ZONE {ZONE})::date
FROM {tags} AS tag
LEFT JOIN public.facts_customer AS record ON record.id = tag.customer_id
LEFT JOIN public.foundation_store AS home ON home.id = record.home_store_id
ORDER BY 1
ON CONFLICT (id) DO NOTHING;
"""  # noqa: S608 -- words of our own


STANDING = {"number": "2 * tag.id"}
FORMER = {"number": "2 * tag.id + 1", "ended_at": "tag.ended_at"}

# A tag that goes into the past goes twice: its row among those worn is taken back, and its spell is told by the row
# among those that were worn. What is taken back whole, a load that is undone, has none there.
_TAKEN_BACK = """
UPDATE public.facts_tagspell SET tag_key = NULL, ended_on = NULL, txid = pg_current_xact_id()
WHERE id IN (SELECT {number} FROM gone AS tag);
"""

FUNCTIONS = "".join(
    trigger_past_policies(f"changke_{what}", body, clause="SET enable_seqscan = off")
    for what, body in (
        ("tags_given", spells("fresh", **STANDING)),
        ("tags_ended", spells("fresh", **FORMER)),
        ("tags_taken_back", _TAKEN_BACK.format(number=STANDING["number"])),
        ("former_tags_taken_back", _TAKEN_BACK.format(number=FORMER["number"])),
    )
)

TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_{when} AFTER {event} ON {table} REFERENCING {rows} FOR EACH STATEMENT"
    f" EXECUTE FUNCTION changke_{function}();\n"
    for table, when, event, rows, function in (
        ("facts_tag", "spells", "INSERT", "NEW TABLE AS fresh", "tags_given"),
        ("facts_tag", "spells_go", "DELETE", "OLD TABLE AS gone", "tags_taken_back"),
        ("facts_formertag", "spells", "INSERT", "NEW TABLE AS fresh", "tags_ended"),
        ("facts_formertag", "spells_go", "DELETE", "OLD TABLE AS gone", "former_tags_taken_back"),
    )
)
