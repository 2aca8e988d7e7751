"""The documentation site: built strictly, with every key, metric and command in it."""

import subprocess
import sys
from pathlib import Path

import pytest

from maxexp.tracking.metrics import METRICS
from tests.conftest import composed
from tests.runs import REPOSITORY


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


def page(site: Path, place: str) -> str:
    return (site / place / "index.html").read_text()


def test_every_key_of_the_configuration_is_explained(site):
    text = page(site, "reference/configuration")
    config = composed("quantization=qat", "recipe=distill", "board=max78000fthr")
    for group in ("dataset", "quantization", "recipe", "trainer", "device", "synthesis", "board", "tracking"):
        for key in vars(getattr(config, group)):
            assert f"<code>{group}.{key}</code>" in text, key


def test_every_metric_is_explained(site):
    text = page(site, "reference/record")
    assert [key for key in METRICS if f"<code>{key}</code>" not in text] == []


def test_every_command_is_there(site):
    text = page(site, "reference/command_line")
    modules = sorted(path.parent.name for path in (REPOSITORY / "maxexp").glob("*/__main__.py"))
    assert modules and all(f"python -m maxexp.{name}" in text for name in modules)


def test_nothing_is_loaded_from_other_servers(site):
    for html in site.rglob("*.html"):
        text = html.read_text()
        assert 'src="https://' not in text and 'rel="stylesheet" href="https://' not in text, html
