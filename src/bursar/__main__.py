"""`python -m bursar` is the `bursar` command."""

import sys

from bursar.cli.main import main

sys.exit(main())
