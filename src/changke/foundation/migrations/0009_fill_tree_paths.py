from django.db import migrations

FILL = """
WITH RECURSIVE way AS (
  SELECT id, '/' || id || '/' AS path FROM foundation_region WHERE parent_id IS NULL
  UNION ALL
  SELECT below.id, way.path || below.id || '/' FROM foundation_region AS below JOIN way ON below.parent_id = way.id
),
regions AS (
  UPDATE foundation_region SET path = way.path FROM way WHERE way.id = foundation_region.id
)
UPDATE foundation_store SET path = way.path FROM way WHERE way.id = foundation_store.region_id
"""


class Migration(migrations.Migration):
    """The regions and stores that are there already get their way from the top."""

    dependencies = [("foundation", "0008_tree_paths")]
    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]
