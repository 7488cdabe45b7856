"""`python -m synthbench.cli`: the command line without an installed script."""

import sys

from synthbench.cli.commands import main

sys.exit(main())
