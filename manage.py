#!/usr/bin/env python
"""Django's command line; people use `changke` instead."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.settings")
    os.environ.setdefault("DATABASE_ROLE", "owner")  # it makes and applies migrations; the site runs as `app`
    execute_from_command_line(sys.argv)
