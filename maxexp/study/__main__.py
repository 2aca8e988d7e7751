"""The command ``python -m maxexp.study``."""

import sys

from maxexp.cli.study import main

if __name__ == "__main__":
    sys.exit(main())
