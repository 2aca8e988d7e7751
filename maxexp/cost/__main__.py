"""The command ``python -m maxexp.cost``."""

import sys

from maxexp.cli.cost import main

if __name__ == "__main__":
    sys.exit(main())
