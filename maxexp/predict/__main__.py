"""The command ``python -m maxexp.predict``."""

import sys

from maxexp.cli.predict import main

if __name__ == "__main__":
    sys.exit(main())
