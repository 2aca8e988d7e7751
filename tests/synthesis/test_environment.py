"""The synthesizer's environment: made once, whole or not at all."""

import os
import stat
import subprocess
import sys

import pytest

from maxexp.base.errors import SynthesisError
from maxexp.synthesis import environment
from maxexp.synthesis.environment import COMPLETE, REQUIREMENTS, environment_python

MAKE = """
import sys
from maxexp.synthesis import environment
environment.REQUIREMENTS = ("pip",)
print(environment.environment_python())
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of its own, and an environment of nothing but pip, for which no index is asked."""
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path))
    monkeypatch.setattr(environment, "REQUIREMENTS", ("pip",))
    return tmp_path


def interpreter(tmp_path, version):
    """A program that says it is Python of that version."""
    path = tmp_path / f"python{version}"
    path.write_text(f"#!/bin/sh\necho {version} linux x86_64\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


@pytest.mark.slow
def test_it_is_made_once_by_processes_that_come_together(cache):
    processes = [
        subprocess.Popen([sys.executable, "-c", MAKE], stdout=subprocess.PIPE, text=True, env=os.environ)
        for _ in range(2)
    ]
    answers = {process.communicate(timeout=300)[0].strip() for process in processes}
    assert len(answers) == 1
    (python,) = answers
    made = os.stat(python, follow_symlinks=False).st_mtime_ns
    assert str(environment_python()) == python
    assert os.stat(python, follow_symlinks=False).st_mtime_ns == made
    where = subprocess.run([python, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True).stdout
    assert where.strip().startswith(str(cache))

    # One that was interrupted lacks its last file, and is made anew.
    (folder,) = (path for path in cache.iterdir() if path.is_dir())
    (folder / COMPLETE).unlink()
    (folder / "rest").touch()
    assert str(environment_python()) == python
    assert (folder / COMPLETE).is_file() and not (folder / "rest").exists()


def test_a_package_that_cannot_be_had_is_named(cache, monkeypatch):
    monkeypatch.setattr(environment, "REQUIREMENTS", ("./no-such-package-here",))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(SynthesisError, match="environment of ai8x-synthesis cannot be made in .*no-such-package"):
        environment_python()
    assert not list(cache.glob(f"*/{COMPLETE}"))


@pytest.mark.parametrize("version", ["3.9.2", "3.13.0", "3.14.1"])
def test_a_python_without_its_numpy_is_refused(cache, version):
    with pytest.raises(SynthesisError, match=f"needs Python 3.10 to 3.12 .*is {version}; set synthesis.python="):
        environment_python(interpreter(cache, version))


@pytest.mark.parametrize(
    ("path", "message"), [("/no/such/python", "cannot be run: No such"), ("/bin/true", "no Python")]
)
def test_what_is_no_python_is_refused(cache, path, message):
    with pytest.raises(SynthesisError, match=f"synthesis.python={path}.*{message}"):
        environment_python(path)


def test_numpy_is_the_one_that_the_synthesizer_needs():
    assert "numpy==1.26.4" in REQUIREMENTS
