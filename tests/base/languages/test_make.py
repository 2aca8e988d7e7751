"""make gives a variable the text that was meant."""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings

from maxexp.base.languages.make import make_value
from tests.base.languages.texts import path_parts


@pytest.fixture(scope="module")
def makefile(tmp_path_factory):
    if shutil.which("make") is None:
        pytest.skip("no make: apt-get install make")
    path = tmp_path_factory.mktemp("make") / "Makefile"
    path.write_text("$(info [$(X)])\nall:\n")
    return path


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(part=path_parts.filter(lambda text: "\n" not in text))
@example(part="$(shell id)")
@example(part="a#b\\")
@example(part="$x ${y} $$")
def test_a_path_is_the_path(makefile, part):
    path = f"/{part}/x"
    done = subprocess.run(["make", "-sf", makefile, f"X={make_value(path)}"], capture_output=True, check=True)
    assert os.fsdecode(done.stdout.split(b"]\n")[0]) == f"[{path}"
