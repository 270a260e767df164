"""First on PYTHONPATH, this is read by every Python that a test starts as a part of the product. What only the tests'
own environment has is not there, as it is not in a shop's (`requirements/server.lock`): libraries that look for each
other load all of them, two seconds of a core for each process.
"""

import sys

for name in ("pandas", "polars", "pyarrow"):
    sys.modules[name] = None  # type: ignore[assignment]
