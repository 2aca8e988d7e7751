"""The run record: one MLflow run for all stages of one experiment.

Nothing here imports MLflow before a run is started, so that ``--help`` stays fast. The Lightning logger
is in :mod:`maxexp.tracking.logger`, apart, because it imports Lightning.
"""

from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.flatten import flatten
from maxexp.tracking.provenance import environment_files, provenance
from maxexp.tracking.record import RunRecord
from maxexp.tracking.signals import Terminated, sigterm_raises

__all__ = [
    "RunRecord",
    "Terminated",
    "TrackingConfig",
    "environment_files",
    "flatten",
    "provenance",
    "sigterm_raises",
]
