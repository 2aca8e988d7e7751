"""The command ``python -m maxexp.camera``."""

import sys

from maxexp.cli.camera import main

if __name__ == "__main__":
    sys.exit(main())
