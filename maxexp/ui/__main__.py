"""The command ``python -m maxexp.ui``."""

import sys

from maxexp.cli.ui import main

if __name__ == "__main__":
    sys.exit(main())
