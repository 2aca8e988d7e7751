"""What is wrong with a server is told by its cause; what may pass is told from what stays."""

import errno
import os
import socket
import sqlite3
import threading

import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from maxexp.base.errors import OutageError, TrackingError
from maxexp.tracking import RunRecord, TrackingConfig
from maxexp.tracking.causes import diagnose
from tests.servers.stand_in import Answer, Fault, StandIn

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.parametrize(
    ("fault", "kind", "part"),
    [
        (Fault.refuse, OutageError, "the connection is refused: nobody listens there; start it, or"),
        (Fault.hang, OutageError, "the server does not answer in time; see its own output"),
        (Fault.cut, OutageError, "the server ended the connection without an answer"),
        (Fault.error, OutageError, "the server answers 500, it is ill or busy"),
        (Answer(503, b"busy"), OutageError, "the server answers 503, it is ill or busy"),
        (Answer(429), OutageError, "the server answers 429"),
        (Answer(401, b"who are you"), TrackingError, "answers 401, .*MLFLOW_TRACKING_USERNAME"),
        (Answer(403, b"no"), TrackingError, "answers 403, this user may not do that"),
        (Answer(404, b"<html>"), OutageError, "no MLflow server .status 404.; check host, port and path"),
        (Answer(501, b"Unsupported method"), OutageError, "no MLflow server"),
        (Answer(200, b"<html>hello</html>"), OutageError, "no MLflow server .*hello"),
        (Answer(200, b'{"a": 1}', "application/json"), TrackingError, "is no MLflow server; check tracking.uri"),
        (Answer(200, b'{"experiment": 7}', "application/json"), OutageError, "no MLflow server"),
        (Answer(200, b"[1]", "application/json"), OutageError, "no MLflow server"),
    ],
)
def test_a_server_that_cannot_be_used_is_told_by_its_cause(fault, kind, part):
    with StandIn(NOWHERE) as server:
        server.fail(fault)
        with pytest.raises(kind, match=rf"^cannot open experiment [^\n]*{part}[^\n]*$") as caught:
            RunRecord.start(TrackingConfig(uri=server.url))
    assert type(caught.value) is kind


def test_what_speaks_no_http_is_told():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def speak():
            connection, _ = listener.accept()
            connection.sendall(b"SSH-2.0-OpenSSH\r\n")
            connection.close()

        threading.Thread(target=speak, daemon=True).start()
        with pytest.raises(TrackingError, match="no MLflow server"):
            RunRecord.start(TrackingConfig(uri=f"http://127.0.0.1:{port}"))


def test_an_unknown_host_is_told():
    with pytest.raises(OutageError, match=r"the name of the host is not known .*check host"):
        RunRecord.start(TrackingConfig(uri="http://no-such-host.invalid:5000"))


def _sqlite(name: str) -> OperationalError:
    error = sqlite3.OperationalError("database")
    error.sqlite_errorname = name
    return OperationalError("INSERT", {}, error)


def _of_mlflow(error: Exception) -> MlflowException:
    try:
        raise MlflowException(str(error)) from error
    except MlflowException as raised:
        return raised


@pytest.mark.parametrize(
    ("error", "outage", "part"),
    [
        (_of_mlflow(_sqlite("SQLITE_FULL")), True, "the disk is full; free space there"),
        (_of_mlflow(_sqlite("SQLITE_BUSY")), True, "keeps the database locked"),
        (_of_mlflow(_sqlite("SQLITE_READONLY")), False, ""),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/a", None, "/b"), True, "the disk is full (/b)"),
        (OSError(errno.EDQUOT, "x"), True, "quota"),
        (PermissionError(errno.EACCES, "no", "/a"), False, "/a may not be written"),
        (MlflowException("bad", error_code=1000), False, "bad"),
        (ImportError("no driver"), False, "no driver"),
    ],
)
def test_what_passes_is_told_from_what_stays(error, outage, part):
    found = diagnose(error)
    assert (found.outage, part in found.cause) == (outage, True)


def test_the_exception_of_the_work_is_none_of_the_stores():
    """Python links what is raised while another exception is handled to that one."""
    try:
        raise FileNotFoundError("of the work")
    except FileNotFoundError as work:
        try:
            raise MlflowException("API request to http://server failed")
        except MlflowException as error:
            assert not diagnose(error).outage
            assert diagnose(error, during=work).outage
