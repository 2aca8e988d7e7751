"""Where a study is kept: any storage of Optuna, by URL."""

from __future__ import annotations

import logging
import shlex
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
from maxexp.tracking.text import one_line, without_password

SQLITE, JOURNAL, GRPC = "sqlite:///", "journal:///", "grpc://"
BUSY_S = 60.0
"""Seconds for which a process waits while another writes to the same SQLite file."""


class StorageError(MaxexpError):
    """A storage that cannot be opened or used."""


def open_storage(url: str) -> BaseStorage:
    """Open a storage; a local one is created where it is missing.

    Args:
        url: ``sqlite:///PATH``, ``journal:///PATH`` (a file that works on NFS), ``grpc://HOST:PORT`` (Optuna's
            proxy), or another database that SQLAlchemy knows, as ``postgresql+psycopg://USER@HOST/DATABASE``.

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
            f"cannot open storage {without_password(url)}: {one_line(error)}; check hydra.sweeper.storage"
        ) from error
    except RuntimeError as error:
        raise StorageError(f"cannot use storage {without_password(url)}: {_foreign(url, error)}") from error


def storage_errors() -> tuple[type[Exception], ...]:
    """What a storage raises that fails or is gone: nothing that a trial could be blamed for."""
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
        file = _file(url)
        cause = f"the disk of {file} is full; free space there" if file and full(file) else one_line(error)
        raise StorageError(
            f"storage {without_password(url)} fails: {cause}; the same command goes on later"
        ) from error


def _file(url: str) -> Path | None:
    """The file that a storage is; None for a server."""
    scheme = next((scheme for scheme in (SQLITE, JOURNAL) if url.startswith(scheme)), None)
    return Path(url.removeprefix(scheme)).absolute() if scheme else None


def check_exists(url: str) -> None:
    """Refuse a storage that would have to be created, for there are no studies in it.

    Raises:
        StorageError: it is a local file that there is not.
    """
    if (path := _file(url)) and not path.exists():
        raise StorageError(f"no sweeps in {url}: begin one (python -m maxexp -m +sweep=smoke), or give --storage")


def _open(url: str) -> BaseStorage:
    if url.startswith(GRPC):
        host, _, port = url.removeprefix(GRPC).partition(":")
        proxy = GrpcStorageProxy(host=host, port=int(port or 13000))
        proxy.wait_server_ready(timeout=BUSY_S)
        return proxy
    if url.startswith(JOURNAL):
        return JournalStorage(JournalFileBackend(url.removeprefix(JOURNAL)))
    if url.startswith(SQLITE):
        return get_storage(RDBStorage(url, engine_kwargs={"connect_args": {"timeout": BUSY_S}}))
    return get_storage(RDBStorage(url, engine_kwargs={"pool_pre_ping": True}))


def _foreign(url: str, error: RuntimeError) -> str:
    """What is wrong with tables that Optuna does not take for its own."""
    if "optuna storage upgrade" in str(error):
        return f"an older Optuna made it; run: optuna storage upgrade --storage {shlex.quote(without_password(url))}"
    return "its tables are another program's; give the sweep a database of its own by hydra.sweeper.storage"


@contextmanager
def storage_lock(url: str) -> Iterator[bool]:
    """Lets one process of this machine at a time into a storage that is a file; yields whether it is one.

    SQLite has no row locks: without this, two workers could take the same trial, or draw the same point. Databases
    with a server settle that themselves.
    """
    path = _file(url)
    if path is None:
        yield False
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{path}.lock"):
        yield True
