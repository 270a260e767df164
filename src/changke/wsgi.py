"""The door for granian. WSGI on purpose: Django's views under ASGI hop threads and run three to seven times slower."""

import gc
import os

from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver

MAKE_BEFORE_LOOKING = 10_000
"""Objects that are made before Python looks for garbage: about a large request. Its own 700 look ten times in one."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.settings")
application = get_wsgi_application()

# A quarter of a million objects stay for as long as the process lives. Walking through all of them in search of garbage
# holds up whichever request is at hand, a tenth of a second on a quiet machine and more than one on a busy one, once in
# a hundred large requests: so everything is made first and then left out of the search.
_ = get_resolver().url_patterns
gc.collect()
gc.freeze()
gc.set_threshold(MAKE_BEFORE_LOOKING, 10, 10)
