"""The path of a SQLite file as a database URI, as SQLAlchemy reads it, and with it MLflow and Optuna."""

from pathlib import Path
from urllib.parse import unquote

SQLITE = "sqlite:///"
"""Begin of the URI that a user types; the path follows as it is, with any characters."""
_WITH_DRIVER = "sqlite+pysqlite:///"
"""The same for SQLAlchemy; MLflow, however, makes the folders of a plain ``sqlite:///`` without decoding them."""


def database_uri(path: Path) -> str:
    """Returns the URI of a SQLite file for SQLAlchemy: ``%`` begins an escape there, and ``?`` the options.

    All else stays, undecodable bytes included, which SQLAlchemy would not get back out of an escape.
    """
    text = str(path)
    escaped = text.replace("%", "%25").replace("?", "%3F")
    return f"{SQLITE if escaped == text else _WITH_DRIVER}{escaped}"


def database_path(uri: str) -> Path | None:
    """Returns the file that a URI of :func:`database_uri` names; ``None`` for another database."""
    if uri.startswith(_WITH_DRIVER):
        return Path(unquote(uri.removeprefix(_WITH_DRIVER)))
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def typed_path(uri: str) -> Path | None:
    """Returns the file that a URI as users type it names: what follows ``sqlite:///``, character by character.

    ``None`` for another database, and for one in memory.

    Raises:
        ValueError: Options of SQLAlchemy follow the name of the file; nothing here passes them on.
    """
    path = uri.removeprefix(SQLITE)
    if not uri.startswith(SQLITE) or path in ("", ":memory:"):
        return None
    _, mark, options = path.rpartition("/")[2].partition("?")
    if mark and "=" in options:
        raise ValueError(f"?{options} is no part of a path, and no options are taken; leave it out")
    return Path(path).expanduser()
