"""A process that has everything imported and forks commands: they begin in a tenth of a second instead of in ten.

    python -m experiments.reliability.forks SOCKET

A forked command has a session of its own, its own standard input and output, and ends as Python ends. Nothing of
the commands is replaced but their start: a sweep's launcher, too, gets :class:`Forked` where it names
``subprocess.Popen``, so that its workers are forked as well.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

SOCKET = "MAXEXP_RELIABILITY_FORKS"
"""The environment variable with the socket, for those that start further commands."""
MODULES = {"maxexp": "maxexp.cli.run", "maxexp.sweep.workers.worker": "maxexp.sweep.workers.worker"}
"""Modules with the function ``main``, by what stands after ``python -m``."""
IMPORTED = ("torch", "pytorch_lightning", "mlflow", "optuna", "sqlalchemy", "alembic", "pandas", "scipy.stats")
REAP_S = 0.02
LONGEST_REQUEST = 1 << 17


class Forked:
    """A command that was forked, with what :class:`subprocess.Popen` has of it.

    Args:
        command: ``python -m MODULE ARGUMENT ...`` with a module of MODULES.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        stdout: IO[bytes],
        stderr: int,
        start_new_session: bool,
        stdin: int = subprocess.DEVNULL,
        cwd: Path | None = None,
        env: Mapping[str, str] = os.environ,
    ) -> None:
        assert stderr == subprocess.STDOUT and start_new_session
        self.returncode: int | None = None
        self.stdin: IO[bytes] | None = None
        reading = os.open(os.devnull, os.O_RDONLY)
        if stdin == subprocess.PIPE:
            os.close(reading)
            reading, writing = os.pipe()
            self.stdin = os.fdopen(writing, "wb")
        request = {"command": command[2:], "cwd": str(cwd or Path.cwd()), "env": dict(env), "parent": os.getpid()}
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._connection.connect(env[SOCKET])
        socket.send_fds(self._connection, [json.dumps(request).encode()], [reading, stdout.fileno()])
        os.close(reading)
        self.pid = int(self._connection.recv(64))

    def poll(self) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._connection], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a forked command", timeout or 0)
            self.returncode = int(self._connection.recv(64))
            self._connection.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def children(parent: int, path: str) -> list[int]:
    """The pids of all commands that a process has had forked."""
    lines = _children_file(path).read_text().splitlines() if _children_file(path).exists() else []
    return [int(pid) for made_by, pid in map(str.split, lines) if int(made_by) == parent]


def _children_file(path: str) -> Path:
    return Path(f"{path}.children")


def serve(path: str) -> Callable[[], Any]:
    """Fork what is asked for; returns in the children only, with what they have to do."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(path)
    listener.listen()
    running: dict[int, socket.socket] = {}
    while True:
        if select.select([listener], [], [], REAP_S)[0]:
            connection, _ = listener.accept()
            data, handles, _, _ = socket.recv_fds(connection, LONGEST_REQUEST, 2)
            request = json.loads(data)
            pid = os.fork()
            if pid == 0:
                for each in (listener, connection, *running.values()):
                    each.close()
                return lambda: _become(request, *handles)
            for handle in handles:
                os.close(handle)
            with _children_file(path).open("a") as file:
                file.write(f"{request['parent']} {pid}\n")
            running[pid] = connection
            connection.send(str(pid).encode())
        _reap(running)


def _reap(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with suppress(OSError), running.pop(pid) as connection:  # whoever asked may be dead
            connection.send(str(os.waitstatus_to_exitcode(status)).encode())


def _become(request: dict[str, Any], stdin: int, stdout: int) -> int:
    """Be the command that was asked for; returns its exit code."""
    _new_session()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for target, handle in enumerate((stdin, stdout, stdout)):
        os.dup2(handle, target)
    os.close(stdin)
    os.close(stdout)
    name, *arguments = request["command"]
    sys.argv = [name, *arguments]
    module = import_module(MODULES[name])
    import_module("maxexp.sweep.workers.launchers").subprocess = SimpleNamespace(  # type: ignore[attr-defined]
        Popen=Forked, PIPE=subprocess.PIPE, STDOUT=subprocess.STDOUT, TimeoutExpired=subprocess.TimeoutExpired
    )
    return int(module.main())


def _new_session() -> None:
    """Begin a session, of the same priority: Linux would give it the usual one, beside which others starve."""
    group = Path("/proc/self/autogroup")
    priority = group.read_text().split()[-1] if group.exists() else None
    os.setsid()
    if priority:
        group.write_text(priority)


def main() -> None:
    """Entry point."""
    for name in (*IMPORTED, *MODULES.values(), "maxexp.run.execution", "maxexp.run.resume"):
        import_module(name)
    task = serve(sys.argv[1])
    sys.exit(task())


if __name__ == "__main__":
    main()
