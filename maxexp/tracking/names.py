"""Names that MLflow's stores take."""

import posixpath
import re

_NAME = re.compile(r"[\w.\- :/]{1,250}")


def is_name(key: str) -> bool:
    """Returns whether MLflow accepts a name for metrics and tags: it must also be a plain relative path."""
    return bool(_NAME.fullmatch(key)) and is_plain_path(key)


def is_plain_path(path: str) -> bool:
    """Returns whether a text is a relative path, in its shortest form, that stays within its folder."""
    return posixpath.normpath(path) == path and not path.startswith(("/", "..")) and path != "."
