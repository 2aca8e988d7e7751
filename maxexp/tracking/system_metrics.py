"""Use of processor, memory, disk, network and GPU while a run is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor


class SystemMetrics:
    """MLflow's system monitor, bound to one run; it samples in a thread of its own.

    The environment variable ``MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL`` overrides the interval.

    Args:
        uri: Tracking URI of the store.
        run_id: The run, which must have the status RUNNING: the monitor ends where it has not.
        interval_s: Seconds between two samples. A run shorter than that has none.
    """

    def __init__(self, uri: str, run_id: str, interval_s: float) -> None:
        self._uri = uri
        self._run_id = run_id
        self._interval_s = interval_s
        self._monitor: SystemMetricsMonitor | None = None

    def start(self) -> None:
        """Starts to sample; continues with the step after the last one that the run has."""
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        self._monitor = SystemMetricsMonitor(
            self._run_id, self._interval_s, resume_logging=True, tracking_uri=self._uri
        )
        self._monitor.start()

    def stop(self) -> None:
        """Ends the thread, after it has sent what it has."""
        if self._monitor is not None:
            self._monitor.finish()
            self._monitor = None

    def restart(self) -> None:
        """Starts again after an outage of the store, at which MLflow's monitor gives up for good."""
        if self._monitor is not None:
            self.stop()
            self.start()
