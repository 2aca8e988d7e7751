"""Where results come from."""

import os
import sys
from datetime import UTC, datetime

from maxexp.tracking.provenance import provenance

KEYS = (
    "cpu",
    "python",
    "version.mlflow",
    "version.optuna",
    "maxexp.version",
    "mlflow.source.git.commit",
    "git.dirty",
)


def origin(module: str) -> dict:
    """Command, date, machine and versions."""
    known = provenance()
    return {
        "command": " ".join([f"python -m {module}", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        **{key: known[key] for key in KEYS if key in known},
    }
