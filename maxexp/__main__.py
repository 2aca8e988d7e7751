"""The command ``python -m maxexp``."""

import sys

from maxexp.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
