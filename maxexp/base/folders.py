"""Folders of the user that runs share."""

import os
from pathlib import Path


def cache_folder(configured: str | None = None) -> Path:
    """Returns ``configured``, else $MAXEXP_CACHE, else ~/.cache/maxexp."""
    return Path(configured or os.environ.get("MAXEXP_CACHE") or "~/.cache/maxexp").expanduser()
