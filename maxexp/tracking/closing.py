"""The end of a run: its status, its error, and what is left to be sent."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Mapping

from maxexp.base.errors import MaxexpError
from maxexp.tracking.ending import request_behind, status_after, summary
from maxexp.tracking.letters import End
from maxexp.tracking.outbox import Outbox
from maxexp.tracking.owner import KILLED_REASON
from maxexp.tracking.patience import Patience
from maxexp.tracking.store import Store
from maxexp.tracking.text import storable
from maxexp.tracking.unsent import UnsentFolder

log = logging.getLogger(__name__)

Describe = Callable[[Mapping[str, str], str | None], None]
"""Takes the tags that say why a run did not finish, and the traceback, if that is of interest."""


class Closing:
    """Closes one run.

    Attributes:
        callbacks: Functions that are called once the run has finished.
    """

    def __init__(self, outbox: Outbox, folder: UnsentFolder, store: Store, run_id: str) -> None:
        self.callbacks: list[Callable[[], None]] = []
        self._outbox = outbox
        self._folder = folder
        self._store = store
        self._run_id = run_id

    def close(self, error: BaseException | None, describe: Describe, asked_to_stop: Callable[[], bool]) -> str | None:
        """Sends what is left and sets the status; returns what the user must know if something stays.

        Args:
            error: The exception that ended the run, if one did.
            describe: Records why.
            asked_to_stop: Tells that there is no time to wait for a store that is away.
        """
        status = status_after(error)
        patience = Patience(self._store.patience_s, asked_to_stop)
        try:
            if error is not None and status != "FINISHED":
                describe(*_description(error))
            sent = self._send(status, patience)
            if status == "FINISHED":
                self._tidy_up()
                sent = sent and self._drain(patience)
            if sent:
                return None
            self._folder.closed = True
            self._folder.write(self._outbox.letters)
        except (MaxexpError, OSError) as failure:
            # Nowhere is a place for it: neither in the store nor on the disk.
            waiting = self._folder.contents(self._outbox.letters)
            return f"of run {self._run_id}, {status}, the tracking store has not got {waiting}: {failure}"
        return self._unsent()

    def _send(self, status: str, patience: Patience) -> bool:
        self._outbox.letters.end = End(status, int(time.time() * 1000))
        # Whoever killed it wants no more attempts than need be.
        return self._outbox.flush() if status == "KILLED" else self._drain(patience)

    def _drain(self, patience: Patience) -> bool:
        try:
            return self._outbox.drain(patience)
        except KeyboardInterrupt:
            log.warning("not waited any longer for tracking store %s", self._store)
            return False

    def _unsent(self) -> str:
        letters, down = self._outbox.letters, self._outbox.down
        cause = str(down) if down else "; ".join(self._outbox.refused)
        return (
            f"tracking store {self._store} has not got {self._folder.contents(letters)} of run {self._run_id} "
            f"({cause}); they wait in {self._folder.path}; send them with `{self._folder.command}`"
        )

    def _tidy_up(self) -> None:
        for callback in self.callbacks:
            try:
                callback()
            except Exception as error:  # of whatever kind: the run is over, and well
                log.warning("run %s has finished, but %s", self._run_id, summary(error))


def _description(error: BaseException) -> tuple[dict[str, str], str | None]:
    if request := request_behind(error):
        return {KILLED_REASON: summary(request)}, None
    return {"error": summary(error)}, storable("".join(traceback.format_exception(error)))
