"""``python -m framefx``."""

import sys

from framefx.cli.main import main

sys.exit(main())
