"""What goes into the database by the thousand."""

import pytest
from django.db import connection

from changke.foundation.database.copy import array_text, copy_rows, staging

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "texts", [[], ["张", "三", "张三"], ['"', "\\", "{", "}", ",", "NULL", " ", "a\tb", "a\nb", "'", "\\N", ""]]
)
def test_a_list_of_texts_arrives_as_it_was(texts: list[str]) -> None:
    staging("arrived", "texts text[]")
    copy_rows("arrived", [(array_text(texts),)])
    with connection.cursor() as sql:
        sql.execute("SELECT texts FROM arrived")
        assert sql.fetchall() == [(texts,)]
