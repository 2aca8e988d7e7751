"""The command ``python -m maxexp.compare``."""

import sys

from maxexp.cli.compare import main

if __name__ == "__main__":
    sys.exit(main())
