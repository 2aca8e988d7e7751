"""maxexp: experiment tracking and hardware-aware sweeps for networks on the MAX78000."""

__version__ = "0.2.0"
RESULTS_VERSION = 1
"""To be raised by whoever changes what a configuration of a study gives: its runs are then made anew."""
