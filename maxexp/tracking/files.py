"""Files that a run makes artifacts of: written here, sent, and known as long as the run is open."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from maxexp.base.disk import writing
from maxexp.base.errors import TrackingError
from maxexp.tracking.outbox import Outbox


class Artifacts:
    """The artifacts that one process makes of one run; errors are those of ``RunRecord.log_artifact``.

    Texts, dicts and figures are written as MLflow's client writes them.
    """

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._local: dict[str, Path] = {}
        self._drafts: tempfile.TemporaryDirectory[str] | None = None

    def add(self, source: Path, folder: str | None) -> None:
        """Stores a file, or a directory with all that is in it."""
        if not source.exists():
            raise TrackingError(f"artifact {source} does not exist: it must be written before it is logged")
        files = sorted(each for each in source.rglob("*") if each.is_file()) if source.is_dir() else [source]
        for file in files:
            name = file.relative_to(source.parent).as_posix()
            self._send(file, f"{folder}/{name}" if folder else name)

    def add_text(self, text: str, artifact: str) -> None:
        """Stores a text."""
        with self._draft(artifact) as path:
            path.write_text(text, encoding="utf-8")

    def add_dict(self, content: dict[str, Any], artifact: str) -> None:
        """Stores a dict, as YAML or JSON by the end of the name."""
        if artifact.endswith((".yml", ".yaml")):
            self.add_text(yaml.dump(content, indent=2, default_flow_style=False), artifact)
        else:
            self.add_text(json.dumps(content, indent=2, default=str), artifact)

    def add_figure(self, figure: Any, artifact: str) -> None:
        """Stores a figure of matplotlib."""
        with self._draft(artifact) as path:
            figure.savefig(path)

    def local(self, artifact: str) -> Path | None:
        """Returns the file that this process has made an artifact, if it is still there."""
        path = self._local.get(artifact)
        return path if path and path.exists() else None

    def close(self) -> None:
        """Removes what was written here."""
        if self._drafts is not None:
            self._drafts.cleanup()
            self._drafts = None

    @contextmanager
    def _draft(self, artifact: str) -> Iterator[Path]:
        """Yields where to write a file, and stores it."""
        if self._drafts is None:
            self._drafts = tempfile.TemporaryDirectory(prefix="maxexp-")
        path = Path(self._drafts.name) / artifact
        with writing(f"artifact {artifact} to", path):
            path.parent.mkdir(parents=True, exist_ok=True)
            yield path
        self._send(path, artifact)

    def _send(self, source: Path, artifact: str) -> None:
        self._local[artifact] = source
        self._outbox.send_file(source, artifact)
