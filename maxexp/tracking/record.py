"""One MLflow run for all stages of an experiment, closed once and truthfully."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from math import isfinite
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from maxexp.base.errors import TrackingError, UnsentError
from maxexp.tracking.artifacts import ERRORS
from maxexp.tracking.closing import Closing
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.creation import create_run
from maxexp.tracking.delivery import Delivery
from maxexp.tracking.files import Artifacts
from maxexp.tracking.known import Known
from maxexp.tracking.leftovers import send_leftovers
from maxexp.tracking.letters import Dataset, End, Letters
from maxexp.tracking.outbox import Outbox, metric_points, tag_texts
from maxexp.tracking.owner import close_abandoned_runs
from maxexp.tracking.reading import RecordedRun, read_run
from maxexp.tracking.resumption import find_resumable, reopen
from maxexp.tracking.signals import sigterm_held, sigterm_raises
from maxexp.tracking.snapshot import snapshot_of
from maxexp.tracking.store import Store, open_store
from maxexp.tracking.system_metrics import PREFIX, SystemMetrics
from maxexp.tracking.text import LONGEST_PARAM, shortened
from maxexp.tracking.unsent import UnsentFolder, unsent_path

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

log = logging.getLogger(__name__)

Watcher = Callable[[Mapping[str, Any], int | None], None]
"""Sees metrics and their step once they are logged; what it raises ends the work."""


class RunRecord:
    """An MLflow run, opened by :meth:`start` or :meth:`resume` and closed by a ``with`` block.

    The block sets the status when it ends: FINISHED, FAILED after an exception (tag ``error``, artifact in
    ``errors/``) or KILLED after Ctrl-C and SIGTERM (tag ``killed.reason``). What is logged never stops the work
    because of the store: while that is away, everything waits, and is sent when it is back. What is still there
    at the end, after some patience, stays in the folder ``maxexp-unsent-<run id>`` of the current folder.

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
        self._known = Known(run)
        folder = UnsentFolder(unsent_path(Path.cwd(), self._run_id), store, self._run_id)
        self._outbox = Outbox(Delivery(store, self._run_id, run.info.artifact_uri, folder))
        self.configure(config)
        self._open = ExitStack()
        self._closing = Closing(self._outbox, folder, store, self._run_id)
        self._artifacts = Artifacts(self._outbox)
        self._watchers: list[Watcher] = []

    @classmethod
    def start(
        cls,
        config: TrackingConfig,
        run_name: str | None = None,
        tags: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        patient: bool = False,
    ) -> RunRecord:
        """Creates a run, after closing runs of the same experiment whose process is dead.

        Args:
            config: Where and how to record.
            run_name: Name of the run, unless ``config.run_name`` says otherwise.
            tags: Tags, such as those of :func:`maxexp.tracking.provenance`.
            params: Params, flat.
            patient: Whether to wait for a store that has yet to answer: it is known to be the right one.

        Raises:
            OutageError: The store is away.
            TrackingError: The store cannot be used, or it refuses a tag or a param.
        """
        texts = tag_texts(tags or {})
        store = open_store(config, patient)
        experiment_id = store.experiment_id(config.experiment)
        store = store.known()
        send_leftovers(store, Path.cwd())
        record = cls(store, create_run(store, experiment_id, config.run_name or run_name, texts), config)
        try:
            record.log_params(params or {})
        except TrackingError:
            record._outbox.letters = Letters(end=End("FAILED", int(time.time() * 1000)))
            record._outbox.flush(at_once=True)
            raise
        return record

    @classmethod
    def resume(cls, config: TrackingConfig, run_id: str, finished: bool = False, patient: bool = False) -> RunRecord:
        """Continues a run; points that it has are not logged twice.

        Nothing of the run changes until the ``with`` block begins, but that what waits for it in the current
        folder is sent: who finds by then that it cannot go on leaves its status as it was.

        Args:
            config: Where the run is; its experiment stays what it was.
            run_id: The run's id, or the beginning of it.
            finished: Whether a run that has finished is continued too.
            patient: As in :meth:`start`.

        Raises:
            OutageError: The store is away.
            TrackingError: There is no such run, it was deleted, it has finished, or a living process is
                writing to it.
        """
        store = open_store(config, patient, existing=True)
        # Its status may be among what waits.
        send_leftovers(store, Path.cwd(), run_id)
        run = find_resumable(store, run_id, finished)
        return cls(store.known(), run, config, resumed=True)

    def configure(self, config: TrackingConfig) -> None:
        """Samples the machine's use as another configuration says; before the ``with`` block."""
        self._system = SystemMetrics(self._store.uri, config.system_metrics_interval_s, self._log_system)
        self._with_system_metrics = config.system_metrics

    @property
    def run_id(self) -> str:
        """Returns MLflow's id of the run."""
        return self._run_id

    @property
    def away(self) -> bool:
        """Tells whether the store was away when something was sent to it the last time."""
        return self._outbox.down is not None

    @property
    def experiment_id(self) -> str:
        """Returns MLflow's id of the experiment."""
        return self._run.info.experiment_id

    @property
    def uri(self) -> str:
        """Returns the URI of the tracking store; absolute where it is a local database."""
        return self._store.uri

    @property
    def place(self) -> str:
        """The tracking store, to be shown: its URI without credentials."""
        return str(self._store)

    @property
    def client(self) -> MlflowClient:
        """Returns MLflow's client of the tracking store."""
        return self._store.client

    def log_params(self, params: Mapping[str, Any]) -> None:
        """Logs params; values are shortened to 6000 characters, what the run has already is left alone.

        Raises:
            TrackingError: A param would change (MLflow writes them once), or the store refuses one.
        """
        texts = {key: shortened(value, LONGEST_PARAM) for key, value in params.items()}
        known = self._known.params
        if changed := [key for key in texts if known.get(key, texts[key]) != texts[key]]:
            key = changed[0]
            raise TrackingError(
                f"param {key!r} of run {self._run_id} is {known[key][:80]!r} and cannot become "
                f"{texts[key][:80]!r}: start a new run for other params"
            )
        self._outbox.letters.params |= {key: text for key, text in texts.items() if key not in known}
        self._outbox.flush()
        if self._outbox.refused:
            raise TrackingError(self._outbox.refused[0])
        self._known.params |= texts

    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Logs values in one request; never fails because of the store.

        In a resumed run a point is skipped if its step is not beyond what the run had when it was
        resumed: the process may have died between logging an epoch and saving it.

        Args:
            metrics: Numbers, booleans, or scalars of numpy and torch. A curve may have NaN and infinities: it shows
                what happened.
            step: Position on the curve, e.g. the epoch. ``None`` is for results that have no curve: they
                are logged at step 0, and after a resume again if they changed, so that the latest counts.

        Raises:
            TrackingError: A name or a value that cannot be stored, or a result that is no finite number.
        """
        points = metric_points(metrics, step or 0)
        for point in points if step is None else ():
            if not isfinite(point.value):
                raise TrackingError(f"result {point.key} is {point.value}, so it says nothing: it is not recorded")
        for point in points:
            if self._known.is_new(point, is_result=step is None):
                self._known.add(point)
                self._outbox.letters.metrics.append(point)
        self._outbox.flush()
        for watcher in self._watchers:
            watcher(metrics, step)

    def watch(self, watcher: Watcher) -> None:
        """Calls ``watcher`` after each :meth:`log_metrics`."""
        self._watchers.append(watcher)

    def on_success(self, callback: Callable[[], None]) -> None:
        """Calls ``callback`` once the run is FINISHED; the run stays so whatever the callback raises."""
        self._closing.callbacks.append(callback)

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Sets tags; never fails because of the store. Values are shortened to 8000 characters.

        Raises:
            TrackingError: A name that cannot be stored.
        """
        texts = tag_texts(tags)
        self._known.set_tags(texts)
        self._outbox.letters.tags |= texts
        self._outbox.flush()

    def log_artifact(self, path: str | Path, folder: str | None = None) -> None:
        """Stores a file, or a directory with all that is in it, under ``folder`` of the artifacts.

        Raises:
            TrackingError: There is no such file.
            DiskFullError: The store is away, and there is no space to keep the file until it is back.
        """
        self._artifacts.add(Path(path), folder)

    def log_text(self, text: str, path: str) -> None:
        """Stores a text as artifact ``path``; fails as :meth:`log_artifact`."""
        self._artifacts.add_text(text, path)

    def log_dict(self, content: dict[str, Any], path: str) -> None:
        """Stores a dict as artifact ``path`` (.json or .yaml); fails as :meth:`log_artifact`."""
        self._artifacts.add_dict(content, path)

    def log_figure(self, figure: Any, path: str) -> None:
        """Stores a matplotlib figure as artifact ``path``, e.g. ``plots/x.png``; fails as :meth:`log_artifact`."""
        self._artifacts.add_figure(figure, path)

    def delete_artifact(self, path: str) -> None:
        """Removes an artifact; while the store is away, later. One that is not there is no error."""
        self._outbox.letters.deleted.append(path)
        self._outbox.flush()

    def log_dataset(self, name: str, digest: str, context: str) -> None:
        """Records what data the run works on, as one of its dataset inputs.

        Args:
            name: Name of the data.
            digest: Hash of the data; MLflow keeps the first 36 characters.
            context: What the data is for, e.g. ``train`` or ``test``.
        """
        self._known.data[name] = digest
        self._outbox.letters.datasets.append(Dataset(name, digest, context))
        self._outbox.flush()

    def metrics(self) -> dict[str, float]:
        """Returns the latest value of each metric."""
        return self._known.metrics()

    def history(self, key: str) -> list[tuple[int, float]]:
        """Returns the points (step, value) of a metric."""
        return self._known.history(key)

    def describe(self, markdown: str) -> None:
        """Sets the run's description, as the MLflow UI shows it."""
        self.set_tags({"mlflow.note.content": markdown})

    def params(self) -> dict[str, str]:
        """Returns all params."""
        return dict(self._known.params)

    def tags(self) -> dict[str, str]:
        """Returns all tags."""
        return dict(self._known.tags)

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

    def snapshot(self) -> RecordedRun:
        """Returns this run as the store will have it once everything has arrived."""
        return snapshot_of(self._store, self._run, self._known, self._artifacts.local)

    def settle_others(self) -> None:
        """Sends what runs that have ended left here, then closes those of this experiment whose process is dead.

        What fails because of the store is only warned of.
        """
        send_leftovers(self._store, Path.cwd())
        close = partial(close_abandoned_runs, self.client, self.experiment_id)
        try:
            self._store.ask("close abandoned runs", close)
        except TrackingError as error:
            log.warning("%s", error)

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
        with ExitStack() as opening:
            opening.callback(self._artifacts.close)
            opening.enter_context(sigterm_raises())
            reopen(self._store, self._run, self._known)
            self._read_curves()
            if self._with_system_metrics:
                self._system.start(self._known.next_step(PREFIX))
            self._open = opening.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Sends what is left and sets the status; waits for a store that is away, but not after Ctrl-C or SIGTERM.

        Raises:
            UnsentError: The store is away and the block ended well; the message names the folder in which the rest
                is. After an exception in the block the message is only logged.
        """
        with self._open, sigterm_held() as asked_to_stop:
            self._system.stop()
            unsent = self._closing.close(error, self._describe, asked_to_stop)
        if unsent and error is None:
            raise UnsentError(unsent)
        if unsent:
            log.error(unsent)

    def _describe(self, tags: Mapping[str, str], trace: str | None) -> None:
        self.set_tags(tags)
        if trace:
            self.log_text(trace, f"{ERRORS}/{time.strftime('%Y-%m-%dT%H-%M-%S')}.txt")

    def _read_curves(self) -> None:
        """Reads the earlier points of a resumed run: later the store may be away when a picture needs them."""
        for key in list(self._known.unread_curves()):
            if not key.startswith(PREFIX):
                read = partial(self.client.get_metric_history, self._run_id, key)
                self._known.add_history(key, self._store.ask(f"read {key} of run {self._run_id}", read))

    def _log_system(self, values: Mapping[str, float], step: int) -> None:
        points = metric_points(values, step)
        for point in points:
            self._known.add(point, with_history=False)  # there are too many, and nobody draws them here
        self._outbox.letters.metrics.extend(points)
        self._outbox.flush()
