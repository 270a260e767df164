"""Everything a person may see, as a file: one folder per format, one file per set of data.

A file is made from rows that stream, in the scope of whoever asked, and every export is a line of the audit trail.
"""

import pkgutil
from importlib import import_module
from typing import cast

from changke.foundation.registry import Registry
from changke.interfaces.exporters.shape import Format

WANTED = ("KEY", "SUFFIX", "CONTENT_TYPE", "WORDS", "write")


def is_format(thing: object) -> bool:
    return all(hasattr(thing, wanted) for wanted in WANTED)


def _found() -> Registry[Format]:
    formats: Registry[Format] = Registry("export formats", is_format)
    for child in pkgutil.iter_modules(__path__):
        if child.ispkg and child.name != "datasets":
            module = cast(Format, import_module(f"{__name__}.{child.name}"))
            formats.register(module.KEY, module)
    return formats


FORMATS = _found()
