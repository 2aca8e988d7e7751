import os
import signal
import threading

import pytest

from maxexp.tracking.signals import Terminated, sigterm_held, sigterm_raises


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.fixture
def seen():
    """Counts the SIGTERMs that reach the handler outside of our contexts."""
    calls = []

    def handler(signum, frame):
        calls.append(signum)

    earlier = signal.signal(signal.SIGTERM, handler)
    yield calls
    signal.signal(signal.SIGTERM, earlier)


def test_first_sigterm_raises_later_ones_do_not_disturb(seen):
    unwound = False
    with pytest.raises(Terminated), sigterm_raises():
        try:
            terminate()
        finally:
            terminate()
            unwound = True
    assert unwound
    assert seen == []
    terminate()
    assert seen == [signal.SIGTERM]


def test_terminated_unwinds_like_ctrl_c():
    assert issubclass(Terminated, KeyboardInterrupt)


def test_held_sigterm_is_delivered_at_the_end(seen):
    with sigterm_held():
        terminate()
        assert seen == []
    assert seen == [signal.SIGTERM]


def test_other_threads_can_use_the_contexts(seen):
    def work():
        with sigterm_raises(), sigterm_held():
            done.append(True)

    done = []
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
