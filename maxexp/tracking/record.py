"""One MLflow run for all stages of an experiment, closed once and truthfully."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from maxexp.base.errors import TrackingError
from maxexp.tracking.artifacts import ERRORS
from maxexp.tracking.color import COLOR_TAG, next_color
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.ending import request_behind, status_after, summary
from maxexp.tracking.outbox import Outbox, metric_points, tag_texts
from maxexp.tracking.owner import KILLED_REASON, close_abandoned_runs, identity
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.resumption import find_resumable, reopen
from maxexp.tracking.signals import sigterm_held, sigterm_raises
from maxexp.tracking.store import Store, open_store, store_errors
from maxexp.tracking.system_metrics import SystemMetrics
from maxexp.tracking.text import LONGEST_PARAM, shortened
from maxexp.tracking.unsent import write_unsent

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

Watcher = Callable[[Mapping[str, Any], int | None], None]
"""Sees metrics and their step once they are logged; what it raises ends the work."""

_LONGEST_DIGEST = 36  # characters, MLflow's limit


class RunRecord:
    """An MLflow run, opened by :meth:`start` or :meth:`resume` and closed by a ``with`` block.

    The block sets the status when it ends: FINISHED, FAILED after an exception (tag ``error``, artifact in
    ``errors/``) or KILLED after Ctrl-C and SIGTERM (tag ``killed.reason``). Metrics and tags never stop
    the work: while the store cannot be reached they wait in memory, and what is still there at the end
    is written to ``maxexp-unsent-<run id>.json`` in the current folder. Artifacts and params do raise.

    Attributes:
        resumed: Whether an earlier process began the run.

    Example:
        with RunRecord.start(TrackingConfig(), "cifar10", tags={}, params={"seed": "1"}) as record:
            with record.stage("train"):
                record.log_metrics({"val/accuracy": 0.5}, step=1)
    """

    def __init__(self, store: Store, run: Run, config: TrackingConfig, resumed: bool = False) -> None:
        self.resumed = resumed
        self._store = store
        self._run = run
        self._run_id = run.info.run_id
        self._experiment_id = run.info.experiment_id
        self._outbox = Outbox(store.client, self._run_id)
        self._system = SystemMetrics(store.uri, self._run_id, config.system_metrics_interval_s)
        self._with_system_metrics = config.system_metrics
        self._signals = ExitStack()
        # Each metric's point of the largest step at the time the run was opened. The attribute is not
        # public, but it is the one that MLflow's own monitor resumes by: histories cost a request each.
        self._earlier = {metric.key: metric for metric in run.data._metric_objs}
        self._watchers: list[Watcher] = []
        self._when_finished: list[Callable[[], None]] = []

    @classmethod
    def start(
        cls,
        config: TrackingConfig,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> RunRecord:
        """Creates a run, after closing runs of the same experiment whose process is dead.

        Args:
            config: Where and how to record.
            run_name: Name of the run, unless ``config.run_name`` says otherwise.
            tags: Tags, such as those of :func:`maxexp.tracking.provenance`.
            params: Params, flat.

        Raises:
            TrackingError: The store cannot be used, or it refuses a tag or a param.
        """
        # The tags are there from the beginning: whoever finds the run after a kill knows what it was.
        texts = tag_texts(tags or {}) | identity()
        store = open_store(config)
        experiment_id = store.experiment_id(config.experiment)
        with store.asked_to("start a run"):
            close_abandoned_runs(store.client, experiment_id)
            before = store.newest_run(experiment_id)
            texts[COLOR_TAG] = next_color(before.data.tags.get(COLOR_TAG) if before else None)
            run = store.client.create_run(experiment_id, run_name=config.run_name or run_name, tags=texts)
        record = cls(store, run, config)
        try:
            record.log_params(params or {})
        except TrackingError:
            record._set_status("FAILED", _now_ms())
            raise
        return record

    @classmethod
    def resume(cls, config: TrackingConfig, run_id: str, finished: bool = False) -> RunRecord:
        """Continues a run; points that it has are not logged twice.

        Nothing of the run changes until the ``with`` block begins: who finds by then that it cannot go on
        leaves its status as it was.

        Args:
            config: Where the run is; its experiment stays what it was.
            run_id: The run's id, or the beginning of it.
            finished: Whether a run that has finished is continued too.

        Raises:
            TrackingError: There is no such run, it was deleted, it has finished, or a living process is
                writing to it.
        """
        store = open_store(config)
        run = find_resumable(store, run_id, finished)
        return cls(store, run, config, resumed=True)

    @property
    def run_id(self) -> str:
        """MLflow's id of the run."""
        return self._run_id

    @property
    def experiment_id(self) -> str:
        """MLflow's id of the experiment."""
        return self._experiment_id

    @property
    def uri(self) -> str:
        """URI of the tracking store; absolute where it is a local database."""
        return self._store.uri

    @property
    def place(self) -> str:
        """The tracking store, to be shown: its URI without credentials."""
        return str(self._store)

    @property
    def client(self) -> MlflowClient:
        """MLflow's client of the tracking store."""
        return self._store.client

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Logs params; values are shortened to 6000 characters, what the run has already is left alone.

        Raises:
            TrackingError: A param would change (MLflow writes them once), or the store fails.
        """
        from mlflow.entities import Param

        texts = {key: shortened(value, LONGEST_PARAM) for key, value in params.items()}
        known = self.params()
        if changed := [key for key in texts if known.get(key, texts[key]) != texts[key]]:
            key = changed[0]
            raise TrackingError(
                f"param {key!r} of run {self._run_id} is {known[key][:80]!r} and cannot become "
                f"{texts[key][:80]!r}: start a new run for other params"
            )
        new = [Param(key, text) for key, text in texts.items() if key not in known]
        with self._store.asked_to("log params"):
            # The client splits this into requests of 100 params, which is what a store takes at once.
            self.client.log_batch(self._run_id, params=new)

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Logs values in one request; never fails because of the store.

        In a resumed run a point is skipped if its step is not beyond what the run had when it was
        resumed: the process may have died between logging an epoch and saving it.

        Args:
            metrics: Numbers, booleans, or scalars of numpy and torch; NaN and infinities are allowed.
            step: Position on the curve, e.g. the epoch. ``None`` is for results that have no curve: they
                are logged at step 0, and after a resume again if they changed, so that the latest counts.

        Raises:
            TrackingError: A name or a value that cannot be stored.
        """
        for point in metric_points(metrics, step or 0):
            if not _repeats(point, self._earlier.get(point.key), is_result=step is None):
                # From here on the run has a newer point than when it was resumed.
                self._earlier.pop(point.key, None)
                self._outbox.metrics.append(point)
        self._send()
        for watcher in self._watchers:
            watcher(metrics, step)

    def watch(self, watcher: Watcher) -> None:
        """Calls ``watcher`` after each :meth:`log_metrics`."""
        self._watchers.append(watcher)

    def when_finished(self, deed: Callable[[], None]) -> None:
        """Calls ``deed`` once the run is FINISHED, which it stays whatever the deed raises."""
        self._when_finished.append(deed)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Sets tags; never fails because of the store. Values are shortened to 8000 characters.

        Raises:
            TrackingError: A name that cannot be stored.
        """
        self._outbox.add_tags(tags)
        self._send()

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Stores a file, or a directory with all that is in it, under ``folder`` of the artifacts.

        Raises:
            TrackingError: There is no such file, or the store fails.
        """
        if not Path(path).exists():
            raise TrackingError(f"artifact {path} does not exist: it must be written before it is logged")
        with self._store.asked_to(f"store artifact {path}"):
            self.client.log_artifact(self._run_id, str(path), folder)

    def log_text(self, text: str, path: str) -> None:
        """Stores a text as artifact ``path``. Raises TrackingError if the store fails."""
        with self._store.asked_to(f"store artifact {path}"):
            self.client.log_text(self._run_id, text, path)

    def log_dict(self, content: dict[str, Any], path: str) -> None:
        """Stores a dict as artifact ``path`` (.json or .yaml). Raises TrackingError if the store fails."""
        with self._store.asked_to(f"store artifact {path}"):
            self.client.log_dict(self._run_id, content, path)

    def log_figure(self, figure: Any, path: str) -> None:
        """Stores a matplotlib or plotly figure as artifact ``path``, e.g. ``plots/curves.png``.

        Raises:
            TrackingError: The store fails.
        """
        with self._store.asked_to(f"store artifact {path}"):
            self.client.log_figure(self._run_id, figure, path)

    def log_dataset(self, name: str, digest: str, context: str) -> None:
        """Records what data the run works on, as one of its dataset inputs.

        Args:
            name: Name of the data.
            digest: Hash of the data; MLflow keeps the first 36 characters.
            context: What the data is for, e.g. ``train`` or ``test``.

        Raises:
            TrackingError: The store fails.
        """
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.exceptions import MlflowException
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        dataset = Dataset(name, digest[:_LONGEST_DIGEST], source_type="local", source=name)
        used = DatasetInput(dataset, [InputTag(MLFLOW_DATASET_CONTEXT, context)])
        with self._store.asked_to(f"log dataset {name}"):
            try:
                self.client.log_inputs(self._run_id, [used])
            except MlflowException:
                # MLflow looks for equal data before it adds them: another run may do so in between, and then the
                # second look finds them.
                self.client.log_inputs(self._run_id, [used])

    def metrics(self) -> dict[str, float]:
        """Returns the latest value of each metric. Raises TrackingError if the store fails."""
        return self._data().metrics | {point.key: point.value for point in self._outbox.metrics}

    def history(self, key: str) -> list[tuple[int, float]]:
        """Returns the points (step, value) of a metric. Raises TrackingError if the store fails."""
        with self._store.asked_to(f"read {key} of run {self._run_id}"):
            points = self.client.get_metric_history(self._run_id, key)
        return [(point.step, point.value) for point in points]

    def describe(self, markdown: str) -> None:
        """Sets the run's description, as the MLflow UI shows it."""
        self.set_tags({"mlflow.note.content": markdown})

    def params(self) -> dict[str, str]:
        """Returns all params. Raises TrackingError if the store fails."""
        return self._data().params

    def tags(self) -> dict[str, str]:
        """Returns all tags. Raises TrackingError if the store fails."""
        return self._data().tags | self._outbox.tags

    def download_artifact(self, path: str) -> Path:
        """Returns a local path of an artifact, which is fetched first if the store is remote.

        Raises:
            TrackingError: The run has no such artifact, or the store fails.
        """
        return self.recorded().artifact(path)

    def recorded(self, run_id: str | None = None) -> RecordedRun:
        """Returns this run, or another one of the same store, as the store has it now.

        Raises:
            TrackingError: There is no such run, or the store fails.
        """
        return read_run(self._store, run_id or self._run_id)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Sets the tag ``stage.<name>`` to ``done`` when the block ends, to ``failed`` if it raises."""
        outcome = "failed"
        try:
            yield
            outcome = "done"
        finally:
            self.set_tags({f"stage.{name}": outcome})

    def skip_stage(self, name: str, reason: str) -> None:
        """Sets the tag ``stage.<name>`` to ``skipped``, and ``stage.<name>.reason``."""
        self.set_tags({f"stage.{name}": "skipped", f"stage.{name}.reason": reason})

    def __enter__(self) -> Self:
        """Opens the run, starts the system metrics; SIGTERM in the main thread raises ``Terminated`` from here on."""
        self._signals.enter_context(sigterm_raises())
        reopen(self._store, self._run)
        if self._with_system_metrics:
            self._system.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends what is left and sets the status.

        Raises:
            TrackingError: The store is gone and the block ended well; the message names the file in
                which the rest is. After an exception in the block the message is only logged.
        """
        with self._signals, sigterm_held():
            self._system.stop()
            unsent = self._close(error)
        if unsent and error is None:
            raise TrackingError(unsent)
        if unsent:
            log.error(unsent)

    def _close(self, error: BaseException | None) -> str | None:
        """Returns what the user must know if something could not be sent."""
        status = status_after(error)
        if error is not None and status != "FINISHED":
            self._describe(error)
        end_ms = _now_ms()
        if self._outbox.flush() and self._set_status(status, end_ms):
            if status == "FINISHED":
                self._tidy_up()
            return None
        end = {"status": status, "end_time_ms": end_ms}
        return write_unsent(self._store, self._run_id, end, self._outbox)

    def _tidy_up(self) -> None:
        for deed in self._when_finished:
            try:
                deed()
            except Exception as error:  # of whatever kind: the run is over, and well
                log.warning("run %s has finished, but %s", self._run_id, summary(error))

    def _describe(self, error: BaseException) -> None:
        if request := request_behind(error):
            self.set_tags({KILLED_REASON: summary(request)})
            return
        self.set_tags({"error": summary(error)})
        text = "".join(traceback.format_exception(error))
        try:
            self.log_text(text, f"{ERRORS}/{time.strftime('%Y-%m-%dT%H-%M-%S')}.txt")
        except TrackingError as failure:
            log.warning("%s", failure)

    def _set_status(self, status: str, end_ms: int) -> bool:
        try:
            self.client.set_terminated(self._run_id, status, end_ms)
        except store_errors() as error:
            log.debug("cannot set status %s: %s", status, error)
            return False
        return True

    def _send(self) -> None:
        was_down = self._outbox.down
        if self._outbox.flush() and was_down:
            self._system.restart()

    def _data(self) -> Any:
        with self._store.asked_to(f"read run {self._run_id}"):
            return self.client.get_run(self._run_id).data


def _repeats(point: Any, earlier: Any, is_result: bool) -> bool:
    """Returns whether the run had a point already when it was resumed."""
    if earlier is None:
        return False
    return point.value == earlier.value if is_result else point.step <= earlier.step


def _now_ms() -> int:
    return int(time.time() * 1000)
