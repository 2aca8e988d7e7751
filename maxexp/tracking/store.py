"""The tracking store: which one, made where it is missing, refused where it cannot work."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import unquote

from filelock import FileLock

from maxexp.base.errors import OutageError, TrackingError
from maxexp.base.languages.database_uri import SQLITE, database_path, database_uri, typed_path
from maxexp.base.languages.printable import encodable, printable
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import address_without_secrets, complete
from maxexp.tracking.causes import diagnose
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.patience import Patience
from maxexp.tracking.text import one_line
from maxexp.tracking.view import view_tags

if TYPE_CHECKING:
    from mlflow.entities import Experiment, Run
    from mlflow.tracking import MlflowClient

ENVIRONMENT = "MLFLOW_TRACKING_URI"
_ARTIFACT_ROOT = "_MLFLOW_SERVER_ARTIFACT_ROOT"
"""Environment variable of MLflow's for the folder of its first experiment."""
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
_FURTHER_ERRORS = {
    "google.protobuf.json_format": ("Error",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
    "boto3.exceptions": ("Boto3Error",),
    "azure.core.exceptions": ("AzureError",),
    "google.api_core.exceptions": ("GoogleAPIError",),
}

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """An open tracking store.

    Attributes:
        uri: Its URI in MLflow's language; absolute where it is a local database.
        client: The MLflow client of that URI.
        artifact_root: URI of the folder for artifacts, or ``None`` where the server decides.
        patience_s: Seconds for which :meth:`ask` waits while the store is away.
        trusted: Whether the store is known to be the right one; until then nobody waits for it.
    """

    uri: str
    client: MlflowClient
    artifact_root: str | None
    patience_s: float = 0.0
    trusted: bool = False

    def known(self) -> Store:
        """Returns the store as one that has answered: if it is away from here on, it will be back."""
        return replace(self, trusted=True)

    @property
    def address(self) -> str:
        """Returns what ``tracking.uri`` takes for it, with its secrets."""
        path = database_path(self.uri)
        return f"{SQLITE}{path}" if path else self.uri

    def __str__(self) -> str:
        """Returns the address without its secrets, on one line."""
        return printable(address_without_secrets(self.address))

    @contextmanager
    def operation(self, action: str) -> Iterator[None]:
        """Turns whatever the store raises into one line: ``cannot <action>: <cause>``.

        Raises:
            OutageError: The store is away, ill, busy or full: the same may succeed later.
            TrackingError: The store refused.
        """
        during = sys.exception()
        try:
            yield
        except store_errors() as error:
            found = diagnose(error, during)
            kind = OutageError if found.outage else TrackingError
            raise kind(f"cannot {action} in tracking store {self}: {found.cause}") from error

    def ask(self, action: str, call: Callable[[], T]) -> T:
        """Calls, again and again while the store is away, until its patience ends.

        Args:
            action: What the call does, for messages: "open experiment x".
            call: Does it; it must be harmless to do that twice, as an answer may be lost.

        Raises:
            OutageError: The store has been away all the time.
            TrackingError: The store refused.
        """
        patience = Patience(self.patience_s if self.trusted else 0.0)
        while True:
            try:
                with self.operation(action):
                    return call()
            except OutageError as error:
                if not patience.left():
                    raise
                if not patience.used:
                    log.warning("%s; waiting for it up to %.0f s", error, self.patience_s)
                patience.pause()

    def experiment_id(self, name: str) -> str:
        """Returns the id of an experiment, which is created where it does not exist.

        Raises:
            TrackingError: The experiment was deleted, or the store does not answer.
        """
        experiment = self.ask(f"open experiment {name!r}", lambda: self._find_or_create(name))
        if experiment.lifecycle_stage == "deleted":
            raise TrackingError(
                f"experiment {name!r} was deleted in tracking store {self}: choose another tracking.experiment, or "
                f"restore it: {self.mlflow_command('experiments', 'restore', '-x', experiment.experiment_id)}"
            )
        self.known().ask(f"keep a view of experiment {name!r}", lambda: self._offer_view(experiment))
        return experiment.experiment_id

    def mlflow_command(self, *words: str) -> str:
        """Returns one of MLflow's own commands on this store, for a shell; its secrets are left out."""
        return shell_command(["env", f"{ENVIRONMENT}={address_without_secrets(self.uri)}", "mlflow", *words])

    def newest_run(self, experiment_id: str) -> Run | None:
        """Returns the run of an experiment that was started last; ``None`` where it has none."""
        newest = self.client.search_runs([experiment_id], "", order_by=["attributes.start_time DESC"], max_results=1)
        return newest[0] if newest else None

    def _offer_view(self, experiment: Experiment) -> None:
        """Lets the MLflow UI have our view of the experiment, as this version arranges it."""
        for key, value in view_tags(experiment.creation_time or 0).items():
            if experiment.tags.get(key) != value:
                self.client.set_experiment_tag(experiment.experiment_id, key, value)

    def _find_or_create(self, name: str) -> Experiment:
        from mlflow.exceptions import MlflowException

        if experiment := self.client.get_experiment_by_name(name):
            if not experiment.experiment_id:  # read from JSON that knows no experiments
                raise TrackingError(
                    f"cannot open experiment {name!r}: {self} is no MLflow server; check tracking.uri"
                )
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

    # MLflow imports these where a store needs them, and lets their exceptions through.
    further = [
        getattr(sys.modules[module], name)
        for module, names in _FURTHER_ERRORS.items()
        if module in sys.modules
        for name in names
    ]
    return (MlflowException, SQLAlchemyError, OSError, ImportError, *further)


def open_store(config: TrackingConfig, patient: bool = False, existing: bool = False) -> Store:
    """Opens the tracking store that a configuration names; a local one is created where it is missing.

    Args:
        patient: Whether it is waited for where it does not answer; otherwise that is taken for a mistake in its URI.
        existing: Whether a missing one is a mistake, as where runs are only read.

    Raises:
        TrackingError: The URI is of a kind that cannot work, or the local database cannot be opened, or is missing.
    """
    address = resolve_uri(config.uri)
    path = typed_path(address)
    if existing and path and not path.exists():
        raise TrackingError(
            f"{printable(str(path))}: there is no such database; python -m maxexp makes one with its first run, and "
            "yours is named by tracking.uri=sqlite:///PATH/mlflow.db or --tracking-uri sqlite:///PATH/mlflow.db"
        )
    uri = database_uri(path) if path else address
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        for name, level in _LOG_LEVELS.items():
            logging.getLogger(name).setLevel(level)
    root = _artifact_root(uri, path)
    with _database_lock(path) if path else nullcontext():
        try:
            with _default_artifacts_at(root):
                client = MlflowClient(uri)
        except store_errors() as error:
            shown = printable(address_without_secrets(address))
            raise TrackingError(f"cannot open tracking store {shown}: {diagnose(error).cause}") from error
    return Store(uri, client, root, config.patience_s, patient)


@contextmanager
def _default_artifacts_at(root: str | None) -> Iterator[None]:
    """Has MLflow make the experiment that every store begins with, ``Default``, in the folder that the store has.

    MLflow would take ``./mlruns``, wherever that is, and put its path into an SQL statement without any escaping; a
    ``file:`` URI has neither quotes nor colons that mean something there.
    """
    earlier = os.environ.get(_ARTIFACT_ROOT)
    if root is None or earlier is not None:
        yield
        return
    os.environ[_ARTIFACT_ROOT] = root
    try:
        yield
    finally:
        del os.environ[_ARTIFACT_ROOT]


def resolve_uri(uri: str | None) -> str:
    """Returns the address of the store to use, with its secrets; of a local database with an absolute path.

    Args:
        uri: The configured address; what follows ``sqlite:///`` is a path, character by character. ``None`` for
            ``MLFLOW_TRACKING_URI``, else ``mlruns/mlflow.db`` in the current folder.

    Raises:
        TrackingError: It is a path, a file store or of an unknown kind, or MLflow cannot write the path.
    """
    environment = os.environ.get(ENVIRONMENT)
    if uri:
        key, uri = "tracking.uri", complete(uri, environment)
    elif environment:
        key, uri = ENVIRONMENT, _as_typed(environment)
    else:
        key, uri = "tracking.uri", f"{SQLITE}mlruns/mlflow.db"
    shown = f"{key}={printable(address_without_secrets(uri))}"
    if uri.startswith("sqlite:"):
        return _resolve_path(uri, shown)
    scheme = uri.partition("://")[0].partition("+")[0]
    if scheme in _SERVERS or ("://" in uri and scheme in _DATABASES):
        return uri
    remedy = "write sqlite:///PATH/mlflow.db, or http://HOST:PORT for a server"
    if uri.startswith("file:") or "://" not in uri:
        raise TrackingError(f"{shown} is a file store, which MLflow no longer supports: {remedy}")
    raise TrackingError(f"{shown} is of an unknown kind: {remedy}")


def _as_typed(uri: str) -> str:
    """Returns the address in MLflow's environment variable, whose paths have escapes, as it would be typed."""
    if not uri.startswith("sqlite:"):
        return uri
    if "?" in uri:
        raise TrackingError(
            f"{ENVIRONMENT}={printable(uri)}: there MLflow takes ? for the begin of options; write %3F where the "
            "path has it, and leave options out"
        )
    return unquote(uri)


def _resolve_path(uri: str, shown: str) -> str:
    try:
        path = typed_path(uri)
    except ValueError as error:
        raise TrackingError(f"{shown}: {error}") from error
    if path is None:
        raise TrackingError(f"{shown} names no file: write sqlite:///PATH/mlflow.db")
    path = path.absolute()
    if encodable(str(path)) != str(path):
        raise TrackingError(
            f"{printable(str(path))}: this path is no UTF-8 text, and MLflow cannot keep runs there; give a database "
            "in another folder, as tracking.uri=sqlite:///PATH/mlflow.db"
        )
    return f"{SQLITE}{path}"


def _artifact_root(uri: str, database: Path | None) -> str | None:
    if uri.partition(":")[0] in _SERVERS:
        return None
    return ((database.parent if database else Path.cwd() / "mlruns") / "artifacts").as_uri()


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
