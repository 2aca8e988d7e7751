"""The tracking store: which one, made where it is missing, refused where it cannot work."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

from maxexp.base.errors import TrackingError
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.text import one_line, without_password
from maxexp.tracking.view import view_tags

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run
    from mlflow.tracking import MlflowClient

SQLITE = "sqlite:///"
_SERVERS = ("http", "https", "databricks")
_DATABASES = ("postgresql", "mysql", "mssql")

# MLflow retries seven times with growing pauses and 120 s of patience each: minutes in which a training
# would stand still. Whoever wants that back sets the variable.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
# Each failure below these levels also reaches us as an exception, and the record reports it once.
_LOG_LEVELS = {
    "mlflow": logging.WARNING,
    "mlflow.store.db.utils": logging.CRITICAL,
    "mlflow.system_metrics": logging.CRITICAL,
    "alembic": logging.WARNING,
    "urllib3.connectionpool": logging.ERROR,
}


@dataclass(frozen=True)
class Store:
    """An open tracking store.

    Attributes:
        uri: Its MLflow URI; absolute where it is a local database.
        client: The MLflow client of that URI.
        artifact_root: URI of the folder for artifacts, or ``None`` where the server decides.
    """

    uri: str
    client: MlflowClient
    artifact_root: str | None

    def __str__(self) -> str:
        """Returns the URI without credentials."""
        return without_password(self.uri)

    @contextmanager
    def asked_to(self, deed: str) -> Iterator[None]:
        """Turns whatever the store raises into one line: ``cannot <deed>: <cause>``.

        Raises:
            TrackingError: The store refused, failed or could not be reached.
        """
        try:
            yield
        except store_errors() as error:
            raise TrackingError(f"cannot {deed} in tracking store {self}: {one_line(error)}") from error

    def experiment_id(self, name: str) -> str:
        """Returns the id of an experiment, which is created where it does not exist.

        Raises:
            TrackingError: The experiment was deleted, or the store does not answer.
        """
        experiment = self._find_or_create(name)
        if experiment.lifecycle_stage == "deleted":
            raise TrackingError(
                f"experiment {name!r} was deleted in tracking store {self}: choose another "
                f"tracking.experiment, or `mlflow experiments restore -x {experiment.experiment_id}`"
            )
        self._offer_view(experiment)
        return experiment.experiment_id

    def newest_run(self, experiment_id: str) -> Run | None:
        """Returns the run of an experiment that was started last; ``None`` where it has none."""
        newest = self.client.search_runs([experiment_id], "", order_by=["attributes.start_time DESC"], max_results=1)
        return newest[0] if newest else None

    def _offer_view(self, experiment: Experiment) -> None:
        """Let the MLflow UI have our view of the experiment, as this version arranges it."""
        with self.asked_to(f"keep a view of experiment {experiment.name!r}"):
            for key, value in view_tags(experiment.creation_time or 0).items():
                if experiment.tags.get(key) != value:
                    self.client.set_experiment_tag(experiment.experiment_id, key, value)

    def _find_or_create(self, name: str) -> Experiment:
        from mlflow.exceptions import MlflowException

        with self.asked_to(f"open experiment {name!r}"):
            if experiment := self.client.get_experiment_by_name(name):
                return experiment
            try:
                created = self.client.create_experiment(name, artifact_location=self.artifact_root)
            except MlflowException as error:
                if error.error_code != "RESOURCE_ALREADY_EXISTS":
                    raise
                return self._find_or_create(name)  # another process was faster by milliseconds
            return self.client.get_experiment(created)


def store_errors() -> tuple[type[Exception], ...]:
    """Returns what MLflow's clients raise for a store that refuses, fails, is gone or lacks its driver."""
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError, OSError, ImportError)


def open_store(config: TrackingConfig) -> Store:
    """Opens the tracking store that a configuration names; a local one is created where it is missing.

    Raises:
        TrackingError: The URI is of a kind that cannot work, or the local database cannot be opened.
    """
    uri = resolve_uri(config.uri)
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        for name, level in _LOG_LEVELS.items():
            logging.getLogger(name).setLevel(level)
    local = uri.startswith(SQLITE)
    with _database_lock(Path(uri.removeprefix(SQLITE))) if local else nullcontext():
        try:
            client = MlflowClient(uri)
        except store_errors() as error:
            raise TrackingError(
                f"cannot open tracking store {without_password(uri)}: {one_line(error)}; check tracking.uri"
            ) from error
    return Store(uri, client, _artifact_root(uri))


def resolve_uri(uri: str | None) -> str:
    """Returns the URI of the store to use; a local database as an absolute path.

    Args:
        uri: The configured URI; ``None`` for ``MLFLOW_TRACKING_URI``, else ``mlruns/mlflow.db`` in the
            current folder.

    Raises:
        TrackingError: The URI is a path, a file store or of an unknown kind.
    """
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}mlruns/mlflow.db"
    if uri.startswith("sqlite:"):
        path = uri.removeprefix(SQLITE)
        if path in ("", ":memory:") or not uri.startswith(SQLITE):
            raise TrackingError(f"tracking.uri={uri} names no file: write sqlite:///PATH/mlflow.db")
        return f"{SQLITE}{Path(path).expanduser().absolute()}"
    scheme = uri.partition("://")[0].partition("+")[0]
    if scheme in _SERVERS or ("://" in uri and scheme in _DATABASES):
        return uri
    if uri.startswith("file:") or "://" not in uri:
        raise TrackingError(
            f"tracking.uri={uri} is a file store, which MLflow no longer supports: "
            "write sqlite:///PATH/mlflow.db, or http://HOST:PORT for a server"
        )
    raise TrackingError(
        f"tracking.uri={without_password(uri)} is of an unknown kind: "
        "write sqlite:///PATH/mlflow.db, or http://HOST:PORT for a server"
    )


def _artifact_root(uri: str) -> str | None:
    if uri.partition(":")[0] in _SERVERS:
        return None
    folder = Path(uri.removeprefix(SQLITE)).parent if uri.startswith(SQLITE) else Path.cwd() / "mlruns"
    return (folder / "artifacts").as_uri()


@contextmanager
def _database_lock(path: Path) -> Iterator[None]:
    """Lets one process at a time open a database: two that create the same tables break each other.

    Raises:
        TrackingError: The folder cannot be written, or the file is not a database. MLflow would find out
            after two minutes of retries.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{path}.lock"):
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA schema_version")
            yield
    except (OSError, sqlite3.Error) as error:
        raise TrackingError(
            f"cannot open tracking store {path}: {one_line(error)}; point tracking.uri to a database "
            "in a folder that can be written"
        ) from error
