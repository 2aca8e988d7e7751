"""Use of processor, memory, disk, network and GPU while a run is open."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

PREFIX = "system/"


class SystemMetrics:
    """MLflow's probes of the machine, read by a thread of its own.

    MLflow's own monitor sends what it reads itself, and ends for good when the store is away once.

    The environment variable ``MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL`` overrides the interval.

    Args:
        uri: Tracking URI of the store: MLflow's monitor, whose probes these are, wants one.
        interval_s: Seconds between two samples. A run shorter than that has none.
        take: Is given the values of each sample by name, and the number of the sample.
    """

    def __init__(self, uri: str, interval_s: float, take: Callable[[Mapping[str, float], int], None]) -> None:
        self._uri = uri
        self._interval_s = interval_s
        self._take = take
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, first: int) -> None:
        """Starts to sample; ``first`` is the number of the first sample."""
        self._thread = threading.Thread(target=self._sample, args=(first,), daemon=True, name="SystemMetrics")
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._ended.set()
            self._thread.join()
            self._thread = None

    def _sample(self, number: int) -> None:
        from mlflow.environment_variables import MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL
        from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor

        interval_s = MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL.get() or self._interval_s
        probes = SystemMetricsMonitor("", tracking_uri=self._uri).monitors
        while True:
            for probe in probes:
                probe.collect_metrics()
            if self._ended.wait(interval_s):
                return
            values = {PREFIX + key: value for probe in probes for key, value in probe.aggregate_metrics().items()}
            for probe in probes:
                probe.clear_metrics()
            try:
                self._take(values, number)
            except Exception as error:  # a full disk, for one: the work has the same trouble and says so
                log.warning("system metrics end: %s", error)
                return
            number += 1
