"""What a new user types and is refused: one sentence that says what to type instead."""

import pytest

from maxexp.base.errors import CheckpointError, ConfigError
from maxexp.cli.arguments import check_words, overrides_first
from maxexp.run.checkpoints import locate_checkpoint
from maxexp.run.composition import compose_config
from maxexp.sweep.planning import run_sweep


def refusal(*words: str) -> str:
    """What ``python -m maxexp WORDS`` is refused with."""
    with pytest.raises(ConfigError) as caught:
        check_words(words)
        compose_config([word for word in overrides_first(words) if not word.startswith("-")])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("-m", "+experiment=*", "--info", "searchpath"), "leave --multirun or --info out"),
        (("--run", "-m", "seed=1"), "exclude one another"),
        (("--cfg", "job", "--info"), "exclude one another"),
        (("--resolve",), "write --cfg job --resolve"),
    ],
)
def test_options_that_hydra_answers_with_a_traceback(words, part):
    assert part in refusal(*words)


@pytest.mark.parametrize("word", ["+sampler=tpe", "sampler=tpe", "launcher=ray", "sampler=x"])
def test_what_belongs_to_a_sweep(word):
    group, _, option = word.lstrip("+").partition("=")
    said = refusal("-m", "seed=1", word)
    assert f"{group}={option}: belongs to a search" in said
    for command in (f"+sweep=smoke {group}={option}", f"hydra/sweeper=maxexp +{group}={option}"):
        assert command in said
    if option != "x":
        compose_config(["+sweep=smoke", f"{group}={option}"])
        compose_config(["hydra/sweeper=maxexp", f"+{group}={option}"])


@pytest.mark.parametrize(
    "path", ["./bignet.yaml", "bignet.yaml", "/x/my nets/bignet.yaml", "../bignet.yml", "./bignet"]
)
def test_the_path_of_a_file_that_is_not_there(tmp_path, path):
    said = refusal(f"model='{path}'")
    assert (
        "no such file" in said and "FOLDER/model/bignet.yaml" in said and "--config-dir FOLDER model=bignet" in said
    )
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "bignet.yaml").write_text("defaults: [digitsnet]\nname: bignet\n")
    assert compose_config(["model=bignet"], [str(tmp_path)]).model.name == "bignet"


def test_an_address_for_a_checkpoint_has_its_password_left_out():
    with pytest.raises(CheckpointError) as caught:
        locate_checkpoint("https://me:S3CRET@host/net.pth.tar?token=S3CRET", pytest.fail)
    assert str(caught.value).startswith("checkpoint=https://host/net.pth.tar: ")
    assert "\n" not in str(caught.value) and "write checkpoint=PATH" in str(caught.value)


def test_a_study_called_like_a_second_phase():
    from hydra import compose, initialize_config_dir

    from maxexp.base.shipped import conf_dir

    overrides = ["+sweep=smoke", "hydra.sweeper.study=mine.final"]
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        composed = compose("config", overrides=overrides, return_hydra_config=True)
        with pytest.raises(ConfigError, match=r"^hydra\.sweeper\.study=mine\.final: [^\n]*choose another$"):
            run_sweep(dict(composed.hydra.sweeper), [], composed, None)
