import sys

from changke.interfaces.cli import main

sys.exit(main())
