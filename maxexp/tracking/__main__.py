"""The command ``python -m maxexp.tracking``."""

import sys

from maxexp.cli.tracking import main

if __name__ == "__main__":
    sys.exit(main())
