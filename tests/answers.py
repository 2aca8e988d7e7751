"""What teachers answered, read from the file without its class."""

import sqlite3
from contextlib import closing
from pathlib import Path


def kept_answers(path: Path) -> list[bytes]:
    """Keys of the answers in a file, sorted."""
    with closing(sqlite3.connect(path)) as file:
        return sorted(key for (key,) in file.execute("SELECT key FROM answers"))
