"""What can be chosen about the run record."""

import math
from dataclasses import dataclass

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen

_LONGEST_EXPERIMENT_NAME = 500  # MLflow's own limit, in characters


@frozen
@dataclass
class TrackingConfig:
    """The ``tracking`` group of the configuration.

    Attributes:
        uri: Tracking store: ``sqlite:///PATH``, ``http(s)://HOST:PORT`` or another database that MLflow
            knows. ``None`` means ``MLFLOW_TRACKING_URI``, else ``mlruns/mlflow.db`` in the current folder.
        experiment: MLflow experiment that new runs belong to; it is created where it does not exist.
        run_name: Name of the run in the UI; ``None`` leaves the name to the pipeline.
        system_metrics: Whether processor, memory, disk, network and GPU use are recorded.
        system_metrics_interval_s: Seconds between two samples of the system metrics.
        patience_s: Seconds for which a run waits, where it cannot go on or end without it, for a store that is away.
            What it has not got by then waits in a folder, to be sent later.
    """

    uri: str | None = None
    experiment: str = "maxexp"
    run_name: str | None = None
    system_metrics: bool = True
    system_metrics_interval_s: float = 10.0
    patience_s: float = 180.0

    def __post_init__(self) -> None:
        """Refuses values that MLflow would refuse later, with a less helpful message.

        Raises:
            ConfigError: A value is empty, too long or not positive.
        """
        for key in ("uri", "run_name"):
            value = getattr(self, key)
            if value is not None and not value.strip():
                raise ConfigError(f"tracking.{key} must be a text that is not empty, or null; got {value!r}")
        if not 0 < len(self.experiment.strip()) <= _LONGEST_EXPERIMENT_NAME:
            raise ConfigError(
                f"tracking.experiment must have 1 to {_LONGEST_EXPERIMENT_NAME} characters; "
                f"got {self.experiment[:80]!r}"
            )
        interval = self.system_metrics_interval_s
        if not (math.isfinite(interval) and interval > 0):
            raise ConfigError(
                f"tracking.system_metrics_interval_s must be a positive number of seconds; got {interval}"
            )
        if not (math.isfinite(self.patience_s) and self.patience_s >= 0):
            raise ConfigError(f"tracking.patience_s must be a number of seconds, at least 0; got {self.patience_s}")
