"""A server on the loopback device that passes requests on to another one, or fails in the way that it is told to."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

_OF_ONE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "content-length")


class Fault(Enum):
    """How the server fails."""

    refuse = "nobody listens on the port"
    hang = "takes requests and never answers"
    error = "answers 500"
    cut = "ends the connection without passing the request on"
    late_cut = "passes the request on and ends the connection without the answer"


@dataclass(frozen=True)
class Answer:
    """What a server says that is none of MLflow, or that lets nobody in."""

    status: int
    body: bytes = b""
    kind: str = "text/html"


class StandIn:
    """A server in front of another, in threads of this process; a context manager.

    Attributes:
        requests: number of requests that have come in, refused ones not counted.
        before: called with the number of each request before anything else is done with it.
    """

    def __init__(self, target: str) -> None:
        self.target = urlsplit(target).netloc
        self.requests = 0
        self.before: Callable[[int], None] = lambda number: None
        self._lock = threading.Lock()
        self._fault: Fault | Answer | None = None
        self._healed = threading.Event()
        self._sockets: set[socket.socket] = set()
        self._listener = self._listen(0)
        self.port: int = self._listener.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fail(self, fault: Fault | Answer) -> None:
        """Fail in this way from the next request on."""
        self._healed.clear()
        self._fault = fault
        if fault is Fault.refuse:
            self._close()

    def heal(self) -> None:
        """Pass requests on again; what hangs is cut."""
        refused, self._fault = self._fault is Fault.refuse, None
        self._healed.set()
        if refused:
            self._listener = self._listen(self.port)

    def __enter__(self) -> StandIn:
        return self

    def __exit__(self, *error: object) -> None:
        self._healed.set()
        if self._fault is not Fault.refuse:
            self._close()

    def answer(self, handler: _Handler, body: bytes) -> None:
        """Deal with one request."""
        with self._lock:
            self.requests += 1
            number = self.requests
        self.before(number)
        fault = self._fault
        if fault is Fault.hang:
            self._healed.wait()
        if isinstance(fault, Answer):
            handler.reply(fault.status, {"Content-Type": fault.kind}, fault.body)
        elif fault is Fault.error:
            handler.reply(500, {"Content-Type": "text/html"}, b"<h1>Internal Server Error</h1>")
        elif fault in (Fault.refuse, Fault.hang, Fault.cut):
            handler.close_connection = True
        else:
            passed = self._pass_on(handler, body)
            if fault is Fault.late_cut:
                handler.close_connection = True
            else:
                handler.reply(*passed)

    def remember(self, connection: socket.socket) -> None:
        """Know a connection, to cut it when nobody shall listen."""
        self._sockets.add(connection)

    def forget(self, connection: socket.socket) -> None:
        """The connection has ended."""
        self._sockets.discard(connection)

    def _pass_on(self, handler: _Handler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.target, timeout=60)
        headers = {key: value for key, value in handler.headers.items() if key.lower() not in _OF_ONE_CONNECTION}
        try:
            connection.request(handler.command, handler.path, body, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        except OSError as error:
            return 502, {"Content-Type": "text/plain"}, str(error).encode()
        finally:
            connection.close()

    def _listen(self, port: int) -> ThreadingHTTPServer:
        class Server(ThreadingHTTPServer):
            daemon_threads = True
            stand_in = self

            def handle_error(self, request: object, client_address: object) -> None:
                """Says nothing: connections are cut on purpose."""

        server = Server(("127.0.0.1", port), _Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return server

    def _close(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        for connection in list(self._sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._stand_in.remember(self.connection)

    def finish(self) -> None:
        self._stand_in.forget(self.connection)
        with suppress(OSError):
            super().finish()

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Every method of HTTP is dealt with alike."""
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Answer."""
        self.send_response(status)
        for key, value in headers.items():
            if key.lower() not in _OF_ONE_CONNECTION:
                self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Says nothing."""

    @property
    def _stand_in(self) -> StandIn:
        return self.server.stand_in  # type: ignore[attr-defined]

    def _do(self) -> None:
        self._stand_in.answer(self, self._body())

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)
