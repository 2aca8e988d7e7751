"""Tracking stores whose tables are copied: MLflow's migrations take more than a second for each new database."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from mlflow.store.db import utils
from sqlalchemy.engine import Engine

_migrate = utils._initialize_tables
_migrated = sqlite3.connect(":memory:", check_same_thread=False)
"""The tables of the first store of this process."""


def _initialize_tables(engine: Engine) -> None:
    """Gives an empty SQLite database the tables of the first one; any other is migrated by MLflow."""
    if engine.dialect.name != "sqlite" or not utils._is_empty_database(engine):
        _migrate(engine)
        return
    with engine.connect() as connection:
        tables().backup(connection.connection.driver_connection)


def tables() -> sqlite3.Connection:
    """The empty tables that MLflow expects."""
    if not _migrated.execute("select 1 from sqlite_master").fetchone():
        engine = utils.create_sqlalchemy_engine("sqlite://")
        _migrate(engine)
        with engine.connect() as connection:
            connection.connection.driver_connection.backup(_migrated)
    return _migrated


def empty_store(folder: Path) -> None:
    """Makes the tracking store that a command in ``folder`` would make, for tests of what comes after."""
    path = folder / "mlruns" / "mlflow.db"
    path.parent.mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        tables().backup(database)


@pytest.fixture(scope="session", autouse=True)
def copied_tables():
    """Lets all stores of this process start from a copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(utils, "_initialize_tables", _initialize_tables)
        yield
