"""Every command of the README and of the documentation is a command that works."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from PIL import Image

from maxexp.chip.check import check_fit
from maxexp.cli.board import board_parser, read_keys
from maxexp.cli.compare import main as main_of_compare
from maxexp.cli.cost import main as main_of_cost
from maxexp.cli.predict import main as main_of_predict
from maxexp.cli.words import evaluation_words
from maxexp.network.graph import build_network
from maxexp.quantization.config import Method
from maxexp.run.composition import compose_config
from maxexp.run.described_checkpoints import with_own_network
from maxexp.tracking import RunRecord, TrackingConfig
from tests.docs.pages import COMMANDS, MAXEXP, PAGES, starting
from tests.runs import REPOSITORY, call

ELSEWHERE = re.compile("checkpoint=(?!zoo)|board=max78000")
"""What is not on this machine: the user's own checkpoint, a board."""

SAYS_PASS = r"""
#include <stdio.h>
int main(void) { printf("*** CNN Inference Test net ***\n\n*** PASS ***\n"); return 0; }
"""


KINDS = ("make ", "python -m maxexp", "maxexp ", "pip ", "uv ", "MLFLOW_TRACKING_URI=")


def test_each_command_is_of_a_kind_that_is_tested():
    """Installations are tried by make release."""
    assert len(MAXEXP) >= 30
    assert not [line for line in COMMANDS if not line.startswith(KINDS)]


@pytest.mark.parametrize("line", starting("make"))
def test_make_knows_the_target(line):
    subprocess.run([*line.split(), "--dry-run"], cwd=REPOSITORY, check=True, capture_output=True)


@pytest.fixture
def users_folder(tmp_path, monkeypatch) -> Path:
    """What the guides tell a user to have: photos by class, a photo, a description."""
    for name in ("apple", "pear", "plum"):
        (tmp_path / "images" / name).mkdir(parents=True)
        for index in range(4):
            Image.new("RGB", (40, 32), (60 * index, 90, 30)).save(tmp_path / "images" / name / f"{index}.png")
    Image.new("RGB", (40, 32), (200, 90, 30)).save(tmp_path / "photo.jpg")
    (tmp_path / "own" / "model").mkdir(parents=True)
    (tmp_path / "own" / "model" / "mynet.yaml").write_text(own_network())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def own_network() -> str:
    page = REPOSITORY / "docs" / "how_to" / "own_network.md"
    found = re.search(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)
    assert found
    return found.group(1)


@pytest.mark.parametrize("line", MAXEXP)
def test_each_command_composes_into_a_network_that_fits(line, users_folder):
    arguments = [word for word in shlex.split(line)[3:] if not word.startswith("-")]
    arguments = [re.sub(r"^(seed=\d+),.*", r"\1", word) for word in arguments]
    config = compose_config(arguments)
    network = build_network(config.model, config.dataset.shape)
    if config.quantization.method is not Method.float:
        check_fit(network, config.quantization.bits(network), config.device.part)


@pytest.mark.parametrize("line", starting("maxexp cost "))
def test_each_cost_is_printed(line, users_folder, capsys):
    assert main_of_cost(shlex.split(line)[2:]) == 0
    assert "cycles" in capsys.readouterr().out


@pytest.mark.parametrize("line", starting("maxexp predict zoo:"))
def test_each_prediction_is_printed(line, users_folder, capsys):
    assert main_of_predict(shlex.split(line)[2:]) == 0
    assert "photo.jpg" in capsys.readouterr().out


@pytest.mark.parametrize("line", starting("maxexp evaluate "))
def test_each_evaluation_knows_its_network(line):
    words = evaluation_words(shlex.split(line)[2:])
    config = with_own_network(compose_config(words), words)
    assert config.model.name in line and config.dataset.name in line


def test_each_trained_network_that_is_named_is_there():
    names = re.findall(r"zoo:(\w+)", "\n".join(COMMANDS))
    assert names
    assert all((REPOSITORY / "experiments" / "zoo" / name / "card.yaml").is_file() for name in names)


@pytest.mark.parametrize("line", starting("python -m maxexp.study "))
def test_each_study_of_the_readme_exists(line):
    command, *names = shlex.split(line)[3:]
    assert command in ("run", "status", "report", "restore")
    assert names or command == "restore"
    assert all((REPOSITORY / "experiments" / name / "study.yaml").is_file() for name in names)


@pytest.mark.parametrize("line", starting("python -m maxexp.board "))
def test_each_command_of_the_boards_is_one(line):
    options = board_parser().parse_args(shlex.split(line)[3:])
    assert callable(options.work)
    read_keys(getattr(options, "keys", []))


def test_a_generated_project_runs_as_the_readme_says(compiler, tmp_path):
    line = next(line for line in COMMANDS if "maxexp.board run" in line)
    words = shlex.split(line)[1:]
    project = tmp_path / words[words.index("run") + 1]
    project.mkdir(parents=True)
    (project / "main.c").write_text(SAYS_PASS)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, *words], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "*** PASS ***" in done.stdout


def test_costs_are_printed(tmp_path):
    line = next(line for line in MAXEXP if "model=simplenet" in line)
    done = call(*shlex.split(line)[3:], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "101,613" in done.stdout
    assert "-m maxexp.ui --tracking-uri sqlite:///" in done.stdout


def test_the_network_of_the_guide_works(users_folder):
    """It is a residual one, in a file of the user's own."""
    assert yaml.safe_load(own_network())["name"] == "mynet"
    (line,) = [line for line in MAXEXP if "mynet.yaml" in line]
    done = call(*shlex.split(line)[3:], "trainer.max_epochs=4", cwd=users_folder)
    assert done.returncode == 0, done.stderr
    assert "integers as on the chip" in done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_point_to_files(page):
    """That they lead somewhere on the site, too, is checked by its strict build."""
    made = {"configuration.md", "command_line.md", "record.md", "layers.md", "contributing.md", "changelog.md"}
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text()):
        there = (page.parent / target).exists() or Path(target).name in made
        assert target.startswith("https://") or there, target


@pytest.mark.slow
@pytest.mark.parametrize("line", [line for line in MAXEXP if "+experiment" in line and not ELSEWHERE.search(line)])
def test_each_experiment_of_the_readme_runs(line, tmp_path, data_root, request):
    """For real, on a few images; the evaluation is whole."""
    if "synthesis=ai8x" in line:
        line = re.sub(r"synthesis\.path=\S+", f"synthesis.path={request.getfixturevalue('checkout')}", line)
    short = ["trainer.max_epochs=2", "dataset.limit=512", f"dataset.root={data_root}"]
    words = [re.sub(r"^(seed=\d+),.*", r"\1", word) for word in shlex.split(line)[3:]]
    done = call(*words, *short, cwd=Path(tmp_path))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", starting("python -m maxexp.compare"))
def test_each_comparison_runs(line, quickstart, run_here, store, tmp_path, monkeypatch):
    """On another store; what the filter of the README finds is in there."""
    filtered = "--filter" in line
    found = run_here("model=nascifarnet", "dataset=cifar10", "stages=[synthesize]") if filtered else quickstart
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [*shlex.split(line)[2:], "--tracking-uri", store.uri])
    assert main_of_compare() == 0
    (page,) = tmp_path.glob("*/comparison.html")
    assert found.info.run_id in page.read_text()


def test_the_results_can_be_taken_out(tmp_path):
    (line,) = [line for line in COMMANDS if "mlflow artifacts download" in line]
    config = TrackingConfig(uri=f"sqlite:///{tmp_path}/mlruns/mlflow.db", system_metrics=False)
    with RunRecord.start(config, "a run", {}) as record:
        record.log_text("0", "synthesis/network.yaml")
    command = f"PATH={Path(sys.executable).parent}:$PATH {line.replace('RUN_ID', record.run_id)}"
    subprocess.run(command, shell=True, cwd=tmp_path, check=True, capture_output=True, timeout=300)
    assert (tmp_path / "taken" / "synthesis" / "network.yaml").read_text() == "0"
