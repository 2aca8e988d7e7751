"""Why a tracking store failed, in words that say what to do, and whether it may be well again later."""

from __future__ import annotations

import errno
import re
import socket
import sqlite3
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maxexp.base.disk import no_space
from maxexp.tracking.text import one_line

_REFUSALS = (
    "BAD_REQUEST",
    "CUSTOMER_UNAUTHORIZED",
    "ENDPOINT_NOT_FOUND",
    "FEATURE_DISABLED",
    "INVALID_PARAMETER_VALUE",
    "INVALID_STATE",
    "NOT_IMPLEMENTED",
    "PERMISSION_DENIED",
    "RESOURCE_ALREADY_EXISTS",
    "RESOURCE_DOES_NOT_EXIST",
    "UNAUTHENTICATED",
)
"""MLflow's codes of what a store does not do, however often it is asked."""
_AWAY = (408, 425, 429, 500, 502, 503, 504)
"""HTTP's codes of a server that may be well again later."""
_NOT_FOUND = (301, 302, 303, 307, 308, 404, 405, 501)
"""HTTP's codes of a server that knows nothing of MLflow, if it does not say more in JSON."""
_CODES = {"UNAUTHENTICATED": 401, "CUSTOMER_UNAUTHORIZED": 401, "PERMISSION_DENIED": 403}
"""MLflow's names of some of HTTP's codes."""
_NO_MLFLOW = ("BadStatusLine", "HTTPParseError", "JSONDecodeError", "LineTooLong", "ParseError")
"""Names of exceptions about an answer that is none of MLflow's."""
_CHECK = "check host, port and path of tracking.uri"
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
_STATUS = re.compile(r"failed with error code (\d{3})|too many (\d{3}) error responses|^(\d{3}) \w+ Error")


@dataclass(frozen=True)
class Diagnosis:
    """Why a store failed.

    Attributes:
        outage: Whether it may take the same request later: it is away, ill or busy, or its disk is full.
        cause: What is wrong and what to do about it, on one line.
    """

    outage: bool
    cause: str


def diagnose(error: BaseException, during: BaseException | None = None) -> Diagnosis:
    """Tells from what a store raised why it failed.

    Args:
        error: What it raised.
        during: The exception that was being handled when the store was called, which is not the store's.
    """
    links = list(_chain(error, during))
    status = _http_status(error, links)
    if status is not None:
        return Diagnosis(status in (*_AWAY, *_NOT_FOUND), _said(status, error, links))
    if _is_no_mlflow(links):
        # A server that is being started again may have another answer for it.
        return Diagnosis(True, f"what answers there is no MLflow server ({_body(error)}); {_CHECK}")
    texts = (text for link in links if (text := _of_connection(link) or _of_files(link)))
    refused = getattr(error, "error_code", None) in _REFUSALS or any(map(_lasts, links))
    return Diagnosis(not refused, next(texts, None) or one_line(error))


def _chain(error: BaseException, during: BaseException | None) -> Iterator[BaseException]:
    """An exception, and all that it stems from: causes, contexts, urllib3's reasons, SQLAlchemy's originals."""
    seen: list[object] = [during]
    links: list[object] = [error]
    while links:
        link = links.pop(0)
        if not isinstance(link, BaseException) or any(link is other for other in seen):
            continue
        seen.append(link)
        yield link
        links += [link.__cause__, link.__context__, getattr(link, "reason", None), getattr(link, "orig", None)]
        links += link.args


def _http_status(error: BaseException, links: Sequence[BaseException]) -> int | None:
    """The status that a server answered, where that was no success."""
    for link in links:
        status = getattr(getattr(link, "response", None), "status_code", None)
        if isinstance(status, int):
            return status
        if found := _STATUS.search(str(link)):
            return int(next(group for group in found.groups() if group))
    return _CODES.get(getattr(error, "error_code", ""))


def _said(status: int, error: BaseException, links: Sequence[BaseException]) -> str:
    if status == 401:
        return (
            "the server answers 401, it does not know who asks; set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    if status == 403:
        return "the server answers 403, this user may not do that; ask its administrator, or choose another user"
    if message := _message(links):
        return message
    if status in _NOT_FOUND:
        return f"what answers there is no MLflow server (status {status}); {_CHECK}"
    if status in _AWAY:
        return f"the server answers {status}, it is ill or busy; see its own output"
    return f"the server answers {status}: {_body(error)}"


def _message(links: Sequence[BaseException]) -> str | None:
    """Returns what MLflow itself says of a request that failed, where the answer came as a response."""
    for link in links:
        if (response := getattr(link, "response", None)) is not None:
            try:
                return one_line(ValueError(response.json()["message"]))
            except (ValueError, KeyError, TypeError, AttributeError):
                continue
    return None


def _is_no_mlflow(links: Sequence[BaseException]) -> bool:
    return "not in a valid JSON format" in str(links[0]) or any(type(link).__name__ in _NO_MLFLOW for link in links)


def _body(error: BaseException) -> str:
    """The beginning of what a server said."""
    text = str(error)
    said = text.partition("Response body:")[2].strip(" '") or text
    return one_line(ValueError(said), 80)


def _of_connection(link: BaseException) -> str | None:
    if isinstance(link, ConnectionRefusedError):
        return (
            "the server does not answer, the connection is refused: nobody listens there; start it, or choose "
            "another tracking.uri"
        )
    if isinstance(link, socket.gaierror):
        return f"the name of the host is not known ({link.strerror}); {_CHECK}"
    if isinstance(link, ssl.SSLError):
        return f"no secure connection ({one_line(link, 120)}); check https:// in tracking.uri and the certificate"
    if isinstance(link, TimeoutError) or type(link).__name__ in ("ConnectTimeoutError", "ReadTimeoutError"):
        return "the server does not answer in time; see its own output, or choose another tracking.uri"
    if isinstance(link, OSError) and link.errno in _UNREACHABLE:
        return f"the host cannot be reached ({link.strerror}); check the network, and host and port of tracking.uri"
    if isinstance(link, ConnectionError) or type(link).__name__ in ("RemoteDisconnected", "IncompleteRead"):
        if type(link).__module__.startswith("requests"):
            return None  # what stands behind it says more
        return "the server ended the connection without an answer; see its own output"
    return None


def _of_files(link: BaseException) -> str | None:
    if reason := no_space(link):
        # Copying names the source first.
        path = getattr(link, "filename2", None) or getattr(link, "filename", None)
        return f"{reason}{f' ({path})' if path else ''}; free space there"
    if isinstance(link, PermissionError) and link.filename:
        return f"{link.filename2 or link.filename} may not be written; change its permissions or tracking.uri"
    if (getattr(link, "sqlite_errorname", "") or "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return "another process keeps the database locked; end it, or wait"
    return None


def _lasts(link: BaseException) -> bool:
    """Tells whether a failure stays until somebody mends it: no right, no such file, no driver, no database."""
    if isinstance(link, sqlite3.Error):
        name = getattr(link, "sqlite_errorname", "") or ""
        return not name.startswith(("SQLITE_FULL", "SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR"))
    if isinstance(link, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
        return False
    return isinstance(link, (ImportError, ssl.SSLError, PermissionError, FileNotFoundError))
