import os
import signal
from contextlib import suppress

import pytest

from maxexp.tracking import Terminated
from maxexp.tracking.ending import status_after


def raised(error, during=None):
    """An exception as it is caught: raised while another one is handled."""
    try:
        try:
            raise during if during is not None else error
        except BaseException as first:
            if first is error:
                raise
            raise error  # noqa: B904 (the context is what is tested)
    except BaseException as caught:  # noqa: BLE001
        return caught


@pytest.mark.parametrize(
    "error, status",
    [
        (None, "FINISHED"),
        (SystemExit(0), "FINISHED"),
        (SystemExit(), "FINISHED"),
        (ValueError("x"), "FAILED"),
        (SystemExit(1), "FAILED"),
        (SystemExit("message"), "FAILED"),
        (raised(SystemExit(1), during=ValueError()), "FAILED"),
        (raised(ValueError(), during=KeyboardInterrupt()), "FAILED"),
        (KeyboardInterrupt(), "KILLED"),
        (Terminated(), "KILLED"),
        (raised(SystemExit(1), during=KeyboardInterrupt()), "KILLED"),
        (SystemExit(143), "KILLED"),
        (SystemExit(130), "KILLED"),
    ],
)
def test_status(error, status):
    assert status_after(error) == status


def test_exception_fails_the_run_and_leaves_its_traceback(start, status):
    with pytest.raises(ValueError), start() as record:
        raise ValueError("first line\nsecond")
    assert status(record) == "FAILED"
    assert record.tags()["error"] == "ValueError: first line second"
    (trace,) = record.download_artifact("errors").iterdir()
    assert "in test_exception_fails" in trace.read_text()


@pytest.mark.parametrize(
    "error, expected",
    [(None, ["FINISHED"]), (ValueError("x"), []), (KeyboardInterrupt(), []), (SystemExit(0), ["FINISHED"])],
)
def test_what_is_to_be_done_last_is_done_once_the_run_has_finished(start, status, error, expected):
    seen = []
    with suppress(BaseException), start() as record:
        record.on_success(lambda: seen.append(status(record)))
        if error is not None:
            raise error
    assert seen == expected


def test_a_finished_run_stays_so_whatever_happens_afterwards(start, status, caplog):
    with start() as record:
        record.on_success(lambda: 1 / 0)
    assert status(record) == "FINISHED"
    assert f"run {record.run_id} has finished, but ZeroDivisionError: division by zero" in caplog.text


def test_sigterm_while_the_run_is_closed_comes_after_its_status(start, status, monkeypatch):
    with pytest.raises(Terminated), start() as record:
        set_terminated = record.client.set_terminated

        def interrupted(*args):
            os.kill(os.getpid(), signal.SIGTERM)
            set_terminated(*args)

        monkeypatch.setattr(record.client, "set_terminated", interrupted)
    assert status(record) == "FINISHED"


def test_lightnings_exception_for_sigterm_counts_as_killed():
    from pytorch_lightning.utilities.exceptions import SIGTERMException

    assert status_after(SIGTERMException()) == "KILLED"
