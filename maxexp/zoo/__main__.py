"""The command ``python -m maxexp.zoo``."""

import sys

from maxexp.cli.zoo import main

if __name__ == "__main__":
    sys.exit(main())
