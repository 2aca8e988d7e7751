"""Where a study is kept: any storage of Optuna, by URL."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from filelock import FileLock
from optuna.exceptions import OptunaError, StorageInternalError
from optuna.storages import BaseStorage, GrpcStorageProxy, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.exc import SQLAlchemyError

from maxexp.base.disk import full
from maxexp.base.errors import MaxexpError
from maxexp.base.languages.database_uri import database_uri, typed_path
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import address_without_secrets, complete
from maxexp.tracking.text import one_line

JOURNAL, GRPC = "journal:///", "grpc://"
BUSY_S = 60.0
"""Seconds for which a process waits while another writes to the same SQLite file."""


class StorageError(MaxexpError):
    """A storage that cannot be opened or used."""


def open_storage(url: str) -> BaseStorage:
    """Opens a storage; a local one is created where it is missing.

    Args:
        url: ``sqlite:///PATH``, ``journal:///PATH`` (a file that works on NFS), ``grpc://HOST:PORT`` (Optuna's
            proxy), or another database that SQLAlchemy knows, as ``postgresql+psycopg://USER@HOST/DATABASE``.
            PATH is taken character by character; secrets may be left out that :func:`maxexp.base.secrets.keep` has.

    Raises:
        StorageError: it cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        with storage_lock(url):
            return _open(url)
    except (SQLAlchemyError, ImportError, ValueError, OSError) as error:
        raise StorageError(
            f"cannot open storage {address_without_secrets(url)}: {one_line(error)}; check hydra.sweeper.storage"
        ) from error
    except RuntimeError as error:
        raise StorageError(f"cannot use storage {address_without_secrets(url)}: {_foreign(url, error)}") from error


def storage_errors() -> tuple[type[Exception], ...]:
    """Returns the exceptions of a storage that fails or is gone: no fault of a trial."""
    grpc = sys.modules.get("grpc")  # Optuna imports it where its proxy is used
    return (SQLAlchemyError, StorageInternalError, *([grpc.RpcError] if grpc else []))


@contextmanager
def storage_failures_told(url: str) -> Iterator[None]:
    """Turns what a storage raises into one line.

    Raises:
        StorageError: the storage fails.
    """
    try:
        yield
    except storage_errors() + (OptunaError,) as error:
        file = storage_file(url)
        cause = f"the disk of {file} is full; free space there" if file and full(file) else one_line(error)
        raise StorageError(
            f"storage {address_without_secrets(url)} fails: {cause}; the same command goes on later"
        ) from error


def storage_file(url: str) -> Path | None:
    """The file that a storage is; None for a server.

    Raises:
        StorageError: options follow its name.
    """
    try:
        path = Path(url.removeprefix(JOURNAL)) if url.startswith(JOURNAL) else typed_path(url)
    except ValueError as error:
        raise StorageError(f"storage {url}: {error}") from error
    return path and path.absolute()


def check_exists(url: str) -> None:
    """Refuses a storage that would have to be created, for there are no studies in it.

    Raises:
        StorageError: it is a local file that there is not.
    """
    if (path := storage_file(url)) and not path.exists():
        raise StorageError(
            f"no sweeps in {url}: there is no file {path}; begin a sweep (python -m maxexp -m +sweep=smoke), or give "
            "--storage sqlite:///PATH"
        )


def _open(url: str) -> BaseStorage:
    if url.startswith(GRPC):
        host, _, port = url.removeprefix(GRPC).partition(":")
        proxy = GrpcStorageProxy(host=host, port=int(port or 13000))
        proxy.wait_server_ready(timeout=BUSY_S)
        return proxy
    if url.startswith(JOURNAL):
        return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
    if path := storage_file(url):
        options: dict = {"connect_args": {"timeout": BUSY_S}}
        return get_storage(RDBStorage(_for_optuna(database_uri(path)), engine_kwargs=options))
    return get_storage(RDBStorage(_for_optuna(complete(url)), engine_kwargs={"pool_pre_ping": True}))


def _for_optuna(uri: str) -> str:
    """A URI as Optuna takes it, for which braces are places of its own figures."""
    return uri.replace("{", "{{").replace("}", "}}")


def _foreign(url: str, error: RuntimeError) -> str:
    """Returns what is wrong with tables that Optuna does not take for its own."""
    if "optuna storage upgrade" in str(error):
        path = storage_file(url)
        uri = _for_optuna(database_uri(path)) if path else address_without_secrets(url)
        return f"an older Optuna made it; run: {shell_command(['optuna', 'storage', 'upgrade', '--storage', uri])}"
    return "its tables are another program's; give the sweep a database of its own by hydra.sweeper.storage"


@contextmanager
def storage_lock(url: str) -> Iterator[bool]:
    """Lets one process of this machine at a time into a storage that is a file; yields whether it is one.

    SQLite has no row locks: without this, two workers could take the same trial, or draw the same point. Databases
    with a server settle that themselves.
    """
    path = storage_file(url)
    if path is None:
        yield False
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    # Not PATH.lock: that is Optuna's own lock of a journal, for which it would wait half a minute, and then break it.
    with FileLock(f"{path}.maxexp.lock"):
        yield True
