"""The folder of what a run could not send, and its sending later."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maxexp.base.disk import writing
from maxexp.base.errors import TrackingError
from maxexp.base.languages.shell import shell_command
from maxexp.base.secrets import address_without_secrets
from maxexp.tracking.letters import Letters
from maxexp.tracking.owner import OWNER_TAGS, identity
from maxexp.tracking.text import one_line

if TYPE_CHECKING:
    from maxexp.tracking.store import Store

PREFIX = "maxexp-unsent-"
_LETTERS, _ARTIFACTS = "run.json", "artifacts"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,63}")
"""Of a run."""
_SHOWN = 5
"""Files that a message names."""


class UnsentFolder:
    """``maxexp-unsent-RUN_ID``: made when the store fails, gone when everything has been sent.

    It is written while the run goes on, so that a process which is killed meanwhile loses nothing either.

    Args:
        path: The folder.
        store: Where all this belongs; credentials in its URI are left out.
        run_id: The run.
        owner: Tags of the process that logged this; of this one by default.

    Attributes:
        closed: Whether nobody will add to the folder, nor send it, but who finds it.
    """

    def __init__(self, path: Path, store: Store, run_id: str, owner: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.closed = False
        self._uri = address_without_secrets(store.address)
        self._run_id = run_id
        self._owner = dict(owner or identity())

    @property
    def command(self) -> str:
        """Returns the shell command that sends what waits."""
        return shell_command(["python", "-m", "maxexp.tracking", str(self.path)])

    def write(self, letters: Letters) -> None:
        """Writes all letters, in the place of earlier ones.

        Raises:
            DiskFullError, OSError: The folder cannot be written.
        """
        origin = {"uri": self._uri, "run_id": self._run_id, "owner": self._owner, "closed": self.closed}
        content = {**origin, **letters.to_plain()}
        with writing("what the tracking store has not got", self.path):
            self.path.mkdir(exist_ok=True)
            draft = self.path / f"{_LETTERS}.new"
            draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            draft.replace(self.path / _LETTERS)

    def keep(self, source: Path, artifact: str) -> None:
        """Copies a file that is to become an artifact, in the place of an earlier one of that path.

        Raises:
            DiskFullError, OSError: The folder cannot be written.
        """
        target = self.path / _ARTIFACTS / artifact
        with writing(f"artifact {artifact}, which the tracking store has not got,", target):
            target.parent.mkdir(parents=True, exist_ok=True)
            draft = target.parent / f".{target.name}.new"
            shutil.copyfile(source, draft)
            draft.replace(target)

    def discard(self, artifact: str) -> None:
        """Removes a file that is not to be sent any more."""
        (self.path / _ARTIFACTS / artifact).unlink(missing_ok=True)

    def files(self) -> list[tuple[Path, str]]:
        """Returns the files that wait, and their paths among the artifacts; half-written ones left out."""
        root = self.path / _ARTIFACTS
        found = (path for path in sorted(root.rglob("*")) if path.is_file())
        return [
            (path, path.relative_to(root).as_posix())
            for path in found
            if not (path.name.startswith(".") and path.name.endswith(".new"))
        ]

    def remove(self) -> None:
        """Removes the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    def contents(self, letters: Letters) -> str:
        """Returns a description of what waits: ``3 artifacts (a, b, c), 20 points and the status FINISHED``."""
        names = [name for _, name in self.files()]
        more = ", ..." if len(names) > _SHOWN else ""
        counts = {
            f"artifact{{s}} ({', '.join(names[:_SHOWN])}{more})": len(names),
            "point{s}": len(letters.metrics),
            "tag{s}": len(letters.tags),
            "param{s}": len(letters.params),
            "data set{s}": len(letters.datasets),
            "deletion{s} of artifacts": len(letters.deleted),
        }
        parts = [f"{n} {kind.format(s='' if n == 1 else 's')}" for kind, n in counts.items() if n]
        if letters.end:
            parts.append(f"the status {letters.end.status}")
        return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)


def read_unsent(path: Path) -> tuple[dict[str, Any], Letters]:
    """Reads a folder that :class:`UnsentFolder` wrote.

    Returns:
        ``uri``, ``run_id``, ``owner`` (the tags of the process that wrote it) and ``closed``, and the letters.

    Raises:
        TrackingError: It is none.
    """
    file = path / _LETTERS
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        letters = Letters.from_plain(content)
        if not isinstance(content["uri"], str) or not _ID.fullmatch(content["run_id"]):
            raise ValueError("it names no store or no run")
        if not isinstance(content["owner"], Mapping) or not set(content["owner"]) <= set(OWNER_TAGS):
            raise ValueError("owner is no process")
        content["closed"] = bool(content["closed"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise TrackingError(
            f"{path} is no folder of unsent results, {PREFIX}RUN_ID: {one_line(error, 120)}"
        ) from error
    return content, letters


def unsent_path(place: Path, run_id: str) -> Path:
    """Returns where a place has the folder of a run, if there is one."""
    return place / f"{PREFIX}{run_id}"


def unsent_folders(place: Path) -> Iterator[Path]:
    """Folders of unsent results in a place."""
    for path in sorted(place.glob(f"{PREFIX}*")):
        if (path / _LETTERS).is_file() and os.access(path, os.W_OK):
            yield path
