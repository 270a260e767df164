"""The door for granian. WSGI on purpose: Django's views under ASGI hop threads and run three to seven times slower."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.settings")
application = get_wsgi_application()
