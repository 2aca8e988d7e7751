"""The Python environment of ai8x-synthesis: made on first use, kept in the user's cache, shared by all runs.

The synthesizer needs a numpy that maxexp cannot live with (docs/hardware.md, The maker's synthesizer), so it never
runs in our own process
or environment. Of torch it uses nothing but the loading of a checkpoint, and those that we write hold tensors,
strings and numbers only: so new versions of torch need no flag to load them.
"""

import hashlib
import logging
import os
import shutil
import sys
from pathlib import Path

from filelock import FileLock

from maxexp.base.errors import SynthesisError
from maxexp.base.folders import cache_folder
from maxexp.base.process import run_program

REQUIREMENTS = (
    "numpy==1.26.4",
    "torch==2.13.0",
    "onnx>=1.16,<2",
    "PyYAML>=6,<7",
    "rich>=13.7",
    "xxhash>=3.4,<4",
    # The synthesizer imports both for its check of versions, which is off.
    "GitPython>=3.1,<4",
    "PyGithub>=2.3,<3",
)
OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 12)
"""Those that numpy 1.26 and torch have wheels for."""

COMPLETE = "complete"
"""File that is written last; an environment without it was interrupted while being made."""

log = logging.getLogger(__name__)


def environment_python(interpreter: str | None = None) -> Path:
    """Returns Python of the synthesizer's environment, which is made if need be.

    Args:
        interpreter: Python to make it from; the running one by default.

    Raises:
        SynthesisError: the interpreter is not suitable, or the packages cannot be installed.
    """
    interpreter = interpreter or sys.executable
    version = _version(interpreter)
    key = hashlib.sha256("\n".join((*REQUIREMENTS, version)).encode()).hexdigest()[:12]
    folder = cache_folder() / f"ai8x-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    with FileLock(f"{folder}.lock"):
        if not (folder / COMPLETE).is_file() or not python.exists():
            _make(folder, python, interpreter)
    return python


def clean_environment() -> dict[str, str]:
    """Returns the environment variables for the synthesizer: ours, without what would lead it to our own packages."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")
    kept = {key: value for key, value in os.environ.items() if key not in foreign}
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONUNBUFFERED": "1"}


def _version(interpreter: str) -> str:
    """Returns ``3.11.7 linux x86_64`` of an interpreter."""
    code = "import sys, platform; print(platform.python_version(), sys.platform, platform.machine())"
    try:
        done = run_program([interpreter, "-c", code], "Looking at Python", environment=clean_environment())
    except OSError as error:
        raise SynthesisError(f"synthesis.python={interpreter} cannot be run: {error.strerror}") from error
    words = done.output.split()
    if done.code or len(words) != 3:
        raise SynthesisError(f"synthesis.python={interpreter} is no Python; give the path of Python 3.10 to 3.12")
    if not OLDEST_PYTHON <= tuple(int(n) for n in words[0].split(".")[:2]) <= NEWEST_PYTHON:
        raise SynthesisError(
            f"ai8x-synthesis needs Python 3.10 to 3.12 (numpy 1.26), {interpreter} is {words[0]}; set "
            "synthesis.python=/path/to/python3.12, or use synthesis=estimate"
        )
    return " ".join(words)


def _make(folder: Path, python: Path, interpreter: str) -> None:
    log.info("making the environment of ai8x-synthesis in %s (once, about a minute) ...", folder)
    shutil.rmtree(folder, ignore_errors=True)
    title = "ai8x-synthesis: environment"
    create = [interpreter, "-m", "venv", str(folder)]
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *REQUIREMENTS]
    for command in (create, install):
        done = run_program(command, title, environment=clean_environment())
        if done.code:
            lines = (done.errors or done.output).strip().splitlines() or ["no message"]
            causes = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
            raise SynthesisError(
                f"the environment of ai8x-synthesis cannot be made in {folder}: {causes[-1]} (needed once: a "
                "connection to a package index, and the module venv)"
            )
    (folder / COMPLETE).touch()
