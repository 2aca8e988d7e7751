"""maxexp: experiment tracking and hardware-aware sweeps for networks on the MAX78000."""

__version__ = "0.1.0"
