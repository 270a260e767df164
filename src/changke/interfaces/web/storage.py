from typing import ClassVar

from whitenoise.storage import CompressedManifestStaticFilesStorage


class WebStorage(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # the base has no types
    """Compressed files with their hash in the name, so that a browser may keep them for a year.

    Imports between our own modules are renamed too. Django finds them by pattern: they end with a semicolon.
    """

    support_js_module_import_aggregation: ClassVar[bool] = True
    manifest_strict: ClassVar[bool] = False
