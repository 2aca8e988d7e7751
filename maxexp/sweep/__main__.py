"""The command ``python -m maxexp.sweep``."""

import sys

from maxexp.cli.sweep import main

if __name__ == "__main__":
    sys.exit(main())
