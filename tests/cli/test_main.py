"""One command line: the first word chooses, all else is a run."""

import sys

import pytest

from maxexp.base.errors import ConfigError
from maxexp.cli import main as module
from maxexp.cli.main import COMMANDS, main, overview
from maxexp.cli.words import evaluation_words, sweep_words
from tests.runs import call


@pytest.fixture
def started(monkeypatch) -> list[list[str]]:
    """The words of the runs that a command would start."""
    runs: list[list[str]] = []
    monkeypatch.setattr(module, "_run", lambda words: runs.append(list(words)) or 0)
    return runs


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", []),
        ("model=cmsisnnet dataset=cifar10", ["model=cmsisnnet", "dataset=cifar10"]),
        ("+experiment=quickstart seed=2", ["+experiment=quickstart", "seed=2"]),
        ("-m seed=1,2", ["-m", "seed=1,2"]),
        ("--help", ["--help"]),
        ("train model=simplenet", ["model=simplenet"]),
        ("evaluate zoo:cifar10_nascifarnet", ["checkpoint=zoo:cifar10_nascifarnet", "stages=[evaluate]"]),
        ("evaluate run:c68ccb55 seed=2", ["checkpoint=run:c68ccb55", "stages=[evaluate]", "seed=2"]),
        ("evaluate x.pth.tar stages=[synthesize]", ["checkpoint=x.pth.tar", "stages=[synthesize]"]),
        ("sweep smoke", ["-m", "+sweep=smoke"]),
        ("sweep smoke sampler=tpe", ["-m", "+sweep=smoke", "sampler=tpe"]),
        ("sweep seed=1,2", ["-m", "seed=1,2"]),
        ("nonsense", ["nonsense"]),
    ],
)
def test_runs(started, monkeypatch, typed, words):
    monkeypatch.setattr(sys, "argv", ["maxexp", *typed.split()])
    assert main() == 0 and started == [words]


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"train", "evaluate"}))
def test_every_command_shows_its_help_by_its_own_name(monkeypatch, capsys, name):
    monkeypatch.setattr(sys, "argv", ["maxexp", name, "--help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"usage: maxexp {name} ")


def test_a_command_gets_its_words(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["maxexp", "zoo", "list"])
    assert main() == 0 and "cifar10_nascifarnet" in capsys.readouterr().out


def test_the_overview_names_all(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["maxexp", "help"])
    assert main() == 0
    said = capsys.readouterr().out
    assert said == f"{overview()}\n" and all(f"maxexp {name} " in said for name in COMMANDS)


def test_an_evaluation_needs_a_network():
    with pytest.raises(ConfigError, match="needs a trained network; write maxexp evaluate zoo:NAME"):
        evaluation_words(["seed=1"])
    assert evaluation_words(["checkpoint=zoo:x"]) == ["stages=[evaluate]", "checkpoint=zoo:x"]
    assert evaluation_words(["my nets/a.pth.tar"])[0] == "checkpoint='my nets/a.pth.tar'"


@pytest.mark.parametrize("verb", ["show", "resume", "report", "export", "--help", ""])
def test_a_search_is_looked_at(verb):
    assert sweep_words([verb] if verb else []) is None


def test_in_a_process_of_its_own(tmp_path):
    """``python -m maxexp COMMAND`` as ``maxexp COMMAND``."""
    done = call("cost", "model=digitsnet", "--json", cwd=tmp_path)
    assert done.returncode == 0 and '"hw/cycles": 2105' in done.stdout
    done = call("evaluate", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.startswith("maxexp: error: evaluate: needs a trained network")
