"""Waiting for a store that is away."""

import time
from collections.abc import Callable

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0


class Patience:
    """Pauses between attempts, each twice as long as the one before, until a time is over.

    Args:
        seconds: The time.
        ended: Tells that nobody wants to wait any longer.

    Attributes:
        used: Whether there has been a pause.
    """

    def __init__(self, seconds: float, ended: Callable[[], bool] = lambda: False) -> None:
        self._end = time.monotonic() + seconds
        self._pause = FIRST_PAUSE_S
        self._ended = ended
        self.used = False

    def left(self) -> bool:
        """Returns whether there is time for another attempt."""
        return time.monotonic() < self._end and not self._ended()

    def pause(self) -> None:
        """Waits before the next attempt."""
        self.used = True
        until = min(time.monotonic() + self._pause, self._end)
        self._pause = min(2 * self._pause, LONGEST_PAUSE_S)
        while (left := until - time.monotonic()) > 0 and not self._ended():
            time.sleep(min(left, FIRST_PAUSE_S))
