"""SIGTERM as an exception, so that a run which is asked to stop can still say so in its record."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Terminated(KeyboardInterrupt):
    """The process was asked to end by SIGTERM.

    A kind of KeyboardInterrupt, because that is what every library already knows how to unwind for.
    """


@contextmanager
def sigterm_raises() -> Iterator[None]:
    """Raises :class:`Terminated` in the main thread at the first SIGTERM while the context is open.

    Further SIGTERMs are ignored: schedulers repeat the signal, and that must not cut off the unwinding.
    Outside of the main thread, where Python allows no signal handlers, the context does nothing.

    Raises:
        Terminated: SIGTERM arrived.
    """
    arrived = False

    def handler(signum: int, frame: object) -> None:
        nonlocal arrived
        if not arrived:
            arrived = True
            raise Terminated("SIGTERM")

    with _sigterm_handled_by(handler):
        yield


@contextmanager
def sigterm_held() -> Iterator[Callable[[], bool]]:
    """Keeps SIGTERM back while the context is open and delivers it afterwards, to the earlier handler.

    Yields:
        Tells whether SIGTERM has arrived.
    """
    arrived = False

    def handler(signum: int, frame: object) -> None:
        nonlocal arrived
        arrived = True

    with _sigterm_handled_by(handler):
        yield lambda: arrived
    if arrived:
        signal.raise_signal(signal.SIGTERM)


@contextmanager
def _sigterm_handled_by(handler: Callable[[int, object], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        # None stands for a handler that was not installed from Python and cannot be put back.
        signal.signal(signal.SIGTERM, signal.SIG_DFL if earlier is None else earlier)
