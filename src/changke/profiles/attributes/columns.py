"""A column of a header -> a column of a table."""

from typing import Any

from django.db import models

from changke.engine.definitions import Column

LONGEST_WORD = 20
"""Characters of a code such as a group or a basis."""


def field_of(column: Column, *, later: bool = False) -> "models.Field[Any, Any]":
    """The typed field of an attribute. Counts and days fit into 32 bits; money and ids need 64.

    `later`: it came to a table that stands, so its rows have what is absent by a default of the database.
    """
    null = column.absent is None
    match column.type:
        case "money" if later:
            return models.BigIntegerField(null=null, db_default=0)
        case "int" if later:
            return models.IntegerField(null=null, db_default=0)
        case "bool" if later:
            return models.BooleanField(null=null, db_default=False)
        case "money":
            return models.BigIntegerField(null=null)
        case "int" if column.name.endswith("_id"):
            return models.BigIntegerField(null=null)
        case "int" | "days":
            return models.IntegerField(null=null)
        case "date":
            return models.DateField(null=null)
        case "text":
            return models.CharField(max_length=LONGEST_WORD, null=null)
        case "bool":
            return models.BooleanField(null=null)
    raise ValueError(f"{column.name}: no table column for the type {column.type!r}")
