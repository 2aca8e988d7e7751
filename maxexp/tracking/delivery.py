"""Sends what waits for a store, in the order in which a reader may see it: the status when all else is there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from maxexp.base.errors import OutageError, TrackingError
from maxexp.tracking.ending import summary
from maxexp.tracking.letters import Letters, delete_artifact, send_dataset, send_file, send_values
from maxexp.tracking.store import Store
from maxexp.tracking.unsent import UnsentFolder


@dataclass(frozen=True)
class Delivery:
    """The way from letters and a folder of files to one run of a store.

    Attributes:
        artifact_uri: Where the run's artifacts are.
    """

    store: Store
    run_id: str
    artifact_uri: str
    folder: UnsentFolder

    def deliver(self, letters: Letters) -> list[str]:
        """Sends everything; what has arrived leaves the letters and the folder.

        Returns:
            One line for each thing that the store refused, which stays.

        Raises:
            OutageError: The store is away; the rest stays.
        """
        client, run_id = self.store.client, self.run_id
        refused = [self._send("log metrics and tags", partial(send_values, client, run_id, letters))]
        for dataset in list(letters.datasets):
            text = self._send(f"log data set {dataset.name}", partial(send_dataset, client, run_id, dataset))
            refused.append(text)
            if not text:
                letters.datasets.remove(dataset)
        for path, artifact in self.folder.files():
            text = self.send_file(str(path), artifact)
            refused.append(text)
            if not text:
                self.folder.discard(artifact)
        if end := letters.end:
            set_status = partial(client.set_terminated, run_id, end.status, end.time_ms)
            text = self._send(f"set status {end.status}", set_status)
            refused.append(text)
            letters.end = end if text else None
        for artifact in list(letters.deleted):
            remove = partial(delete_artifact, client, run_id, artifact, self.artifact_uri)
            text = self._send(f"delete artifact {artifact}", remove)
            refused.append(text)
            if not text:
                letters.deleted.remove(artifact)
        return [text for text in refused if text]

    def send_file(self, local: str, artifact: str) -> str | None:
        """Stores a file as an artifact; returns why the store refused it.

        Raises:
            OutageError: The store is away.
        """
        return self._send(
            f"store artifact {artifact}", partial(send_file, self.store.client, self.run_id, local, artifact)
        )

    def _send(self, action: str, call: Callable[[], None]) -> str | None:
        try:
            with self.store.operation(action):
                call()
        except OutageError:
            raise
        except TrackingError as error:
            return str(error)
        except Exception as error:  # a store's plug-in, of whatever kind: what else waits is none of its business
            return f"cannot {action} in tracking store {self.store}: {summary(error)}"
        return None
