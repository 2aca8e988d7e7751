"""Completion in the shell: what is offered is taken, and at once."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from maxexp.base.shipped import conf_dir
from maxexp.cli.completion import completions
from maxexp.cli.main import COMMANDS
from maxexp.run.composition import compose_config
from maxexp.schema.config import Stage
from tests.runs import REPOSITORY


def offered(line: str) -> list[str]:
    return completions(line, list(COMMANDS))


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("maxexp co", ["cost", "compare"]),
        ("maxexp evaluate stages=", [f"stages=[{stage.name}]" for stage in Stage]),
        ("maxexp stages=[train,ev", ["stages=[train,evaluate]"]),
        ("maxexp train model=nas", ["model=nascifarnet"]),
        ("maxexp +experiment=cifar100_t", ["+experiment=cifar100_teacher"]),
        ("maxexp +sw", ["+sweep="]),
        ("maxexp trainer.max", ["trainer.max_epochs="]),
        ("maxexp dataset.resize=", ["dataset.resize=squash", "dataset.resize=crop"]),
        ("maxexp dataset.download=t", ["dataset.download=true"]),
        ("maxexp zoo li", []),
        ("maxexp --cf", ["--cfg"]),
        ("maxexp nothing=", []),
    ],
)
def test_what_is_offered(line, words):
    assert offered(line) == words


def test_every_first_word():
    words = offered("maxexp ")
    assert {*COMMANDS, "model=", "trainer=", "trainer.", "seed=", "stages=", "+experiment="} <= set(words)
    assert len(words) == len(set(words))


@pytest.mark.parametrize("group", ["augmentation", "quantization", "trainer", "device", "board"])
def test_every_choice_of_a_group_is_taken(group):
    words = offered(f"maxexp {group}=")
    assert len(words) == len(list(Path(conf_dir(), group).glob("*.yaml")))
    for word in words:
        compose_config([word])


def test_single_keys_of_a_group_are_taken():
    """With their own default as the value."""
    from maxexp.schema.roles import declared_keys

    for word in offered("maxexp trainer."):
        key = word.rstrip(".=")
        default = declared_keys()[key].default
        if word.endswith("=") and isinstance(default, (bool, int, str)):
            compose_config([f"{word}{str(default).lower() if isinstance(default, bool) else default}"])


def asked(line: str, *more: str) -> subprocess.CompletedProcess:
    code = "import sys; from maxexp.cli.main import main; code = main(); "
    heavy = "print([x for x in ('torch', 'hydra', 'mlflow') if x in sys.modules], file=sys.stderr); sys.exit(code)"
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "COMP_LINE": line}
    words = [sys.executable, "-c", code + heavy, "-sc", *more]
    return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shell_is_answered_without_the_heavy_packages(shell):
    done = asked("maxexp model=cm", f"query={shell}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "model=cmsisnnet\n", "[]\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes_a_line(tmp_path):
    """The function that Hydra installs, as bash calls it."""
    command = tmp_path / "maxexp"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m maxexp "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(maxexp -sc install=bash | sed "s/hydra_bash_completion [^ ]*$/hydra_bash_completion maxexp/")"\n'
        'COMP_LINE="maxexp stages=[train,ev"; COMP_POINT=23; COMP_CWORD=1; hydra_bash_completion\n'
        'echo "${COMPREPLY[@]}"'
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines()[-1:] == ["stages=[train,evaluate]"], done
