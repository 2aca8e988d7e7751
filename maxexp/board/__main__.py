"""The command ``python -m maxexp.board``."""

import sys

from maxexp.cli.board import main

if __name__ == "__main__":
    sys.exit(main())
