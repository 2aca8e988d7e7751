"""A PostgreSQL server of the installed package, for as long as it is needed."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def programs() -> Path | None:
    """The folder of the newest server's programs; None if there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0] if found else Path(on_path).parent if on_path else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def server() -> Iterator[str]:
    """Start a server with its data in a temporary folder; yields the URL of an empty database on it.

    Raises:
        FileNotFoundError: PostgreSQL is not installed.
    """
    binaries = programs()
    if binaries is None:
        raise FileNotFoundError("no PostgreSQL: apt-get install postgresql")
    # The server refuses to run as root; the package has made a user for it.
    root = os.getuid() == 0
    user = "postgres" if root else pwd.getpwuid(os.getuid()).pw_name
    prefix = ["runuser", "-u", "postgres", "--"] if root else []
    port = free_port()
    # Not within pytest's folders: each session closes those to other users, the server's included.
    folder = Path(tempfile.mkdtemp(prefix="maxexp-postgresql-"))
    shutil.chown(folder, user)

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(binaries / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=300)

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", user)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "-t", "200", "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", user, "studies")
        yield f"postgresql+psycopg://{user}@127.0.0.1:{port}/studies"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder)
