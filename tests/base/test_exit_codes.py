"""How commands end."""

import errno
import os
import subprocess
import sys

import pytest

import maxexp.cli.compare as compare
import maxexp.cli.study as study
import maxexp.cli.sweep as sweep
import maxexp.cli.tracking as tracking
import maxexp.cli.zoo as zoo
from maxexp.base.errors import StudyError
from maxexp.base.exit_codes import exit_code


@pytest.mark.parametrize(
    ("command", "where", "arguments"),
    [
        (compare, "open_store", []),
        (study, "read_study", ["status", "x"]),
        (sweep, "check_exists", ["show"]),
        (tracking, "send_unsent", ["x"]),
        (zoo, "rows", ["list"]),
    ],
)
@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (lambda: StudyError("no such thing"), 1, "maxexp: error: no such thing"),
        (
            lambda: OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
            1,
            "maxexp: error: [Errno 28] No space left on device",
        ),
        (KeyboardInterrupt, 130, "maxexp: interrupted"),
    ],
)
def test_every_command_ends_alike(command, where, arguments, error, code, line, monkeypatch, capsys):
    def fail(*_, **__):
        raise error()

    monkeypatch.setattr(command, where, fail)
    monkeypatch.setattr(sys, "argv", ["command", *arguments])
    assert command.main() == code
    assert capsys.readouterr().err.splitlines() == [line]


def test_what_the_user_has_seen_is_not_said_twice(capsys):
    error = StudyError("no such thing")

    def fail():
        raise error

    assert [exit_code("maxexp", fail), exit_code("maxexp", fail)] == [1, 1]
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("lines", [1, 20_000])
def test_a_reader_who_has_seen_enough_is_no_error(lines):
    """``python -m maxexp.study status NAME | head -1``."""
    code = f"""
import sys, time
from maxexp.base.exit_codes import exit_code
def work():
    time.sleep(0.5)
    print("line\\n" * {lines})
sys.exit(exit_code("maxexp", work))
"""
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.wait(60) == 141
        assert process.stderr.read() == b""


def test_a_defect_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_code("maxexp", lambda: print(1 / 0))
