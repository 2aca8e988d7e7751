"""A text is a text: keys that hold texts take what was typed, on the command line and in files."""

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from maxexp.base.errors import ConfigError
from maxexp.base.languages.override import override_value
from maxexp.base.shipped import conf_dir
from maxexp.base.text_keys import is_text, kind_of
from maxexp.run.composition import compose_config, translate_composition_errors
from maxexp.run.config import Config, read_yaml, to_yaml
from maxexp.run.typed_files import load_typed
from maxexp.run.typed_overrides import as_typed
from tests.base.languages.texts import texts
from tests.conftest import composed

WORDS = (
    "2026_11_30",
    "1e5",
    "true",
    "False",
    "007",
    "0x10",
    "1:30",
    "1.50",
    "-5",
    "+5",
    "1_0",
    "inf",
    "NaN",
    "NULL",
    "5",
)
IN_FILES = (*WORDS, "on", "No", "2026-11-30", "0o17", ".5", "Null", "=")
KEYS = ("tracking.run_name", "tracking.experiment", "dataset.root", "checkpoint", "synthesis.path", "model.name")


def value(config: Config, key: str) -> object:
    for part in key.split("."):
        config = getattr(config, part)
    return config


@pytest.mark.parametrize("word", WORDS)
def test_on_the_command_line(word):
    config = composed(*(f"{key}={word}" for key in KEYS))
    assert {value(config, key) for key in KEYS} == {word}


@pytest.mark.parametrize("word", IN_FILES)
def test_in_files(tmp_path, word):
    """One file for all keys, one in a group with a header of its own, one in a group without."""
    files = {
        "experiment/1_0.yaml": f"# @package _global_\ntracking:\n  run_name: {word}\ncheckpoint: {word}\n",
        "synthesis/007.yaml": f"defaults: [estimate]\npath: {word}\n",
        "dataset/1e5.yaml": f"# @package dataset\ndefaults:\n- digits\nroot: {word}\nname: digits\n",
        "recipe/true.yaml": "defaults: [distill]\ndistillation:\n"
        f"  checkpoint: [{word}, zoo:x]\n  model: {{name: {word}}}\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    config = compose_config(["+experiment=1_0", "synthesis=007", "dataset=1e5", "recipe=true"], [str(tmp_path)])
    assert {config.tracking.run_name, config.checkpoint, config.synthesis.path, config.dataset.root} == {word}
    assert config.recipe.distillation and config.recipe.distillation.checkpoints == [word, "zoo:x"]
    assert config.recipe.distillation.model.name == word


def test_names_of_files_in_a_list_of_defaults(tmp_path):
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text("# @package _global_\ndefaults:\n- override /model: 1_0\n")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "1_0.yaml").write_text("defaults: [digitsnet]\nname: mine\n")
    assert compose_config(["+experiment=mine"], [str(tmp_path)]).model.name == "mine"
    assert compose_config(["model=1_0"], [str(tmp_path)]).model.name == "mine"


def test_null_takes_a_value_away(tmp_path):
    assert composed("tracking.run_name=null").tracking.run_name is None
    (tmp_path / "tracking").mkdir()
    for word in ("null", "~", ""):
        (tmp_path / "tracking" / "mine.yaml").write_text(f"defaults: [default]\nrun_name: {word}\n")
        assert compose_config(["tracking=mine"], [str(tmp_path)]).tracking.run_name is None


def test_numbers_are_numbers_where_numbers_are_wanted(tmp_path):
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "mine.yaml").write_text("defaults: [default]\nmax_epochs: 1_0\nthreads: 0x2\n")
    config = compose_config(["trainer=mine", "seed=2_0", "model.width=5e-1"], [str(tmp_path)])
    assert (config.trainer.max_epochs, config.trainer.threads, config.seed, config.model.width) == (10, 2, 20, 0.5)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("board.connection.port_ids=[1_0, 'x', a]", "board.connection.port_ids=['1_0', 'x', a]"),
        ("dataset.root=1e5,2e5, a", "dataset.root='1e5','2e5', a"),
        ("dataset.root=choice(1e5, 'x', 7)", "dataset.root=choice('1e5', 'x', '7')"),
        ("dataset.root=tag(t, sort(2, 1, reverse=true))", "dataset.root=tag(t, sort('2', '1', reverse=true))"),
        (
            "+recipe.distillation={checkpoint: 1_0, weight: 0.5}",
            "+recipe.distillation={checkpoint: '1_0', weight: 0.5}",
        ),
        ("model=1_0", "model='1_0'"),
        ("model={name: 7, width: 1}", "model={name: '7', width: 1}"),
        ("+experiment=1e5,a", "+experiment='1e5',a"),
        ("hydra.run.dir=1_0", "hydra.run.dir='1_0'"),
        ("sampler@hydra.sweeper.sampler=1_0", "sampler@hydra.sweeper.sampler='1_0'"),
        *(
            (same, same)
            for same in ("seed=1_0", "stages=[train]", "~tracking.uri", "tracking.run_name=", "a b", "x=(")
        ),
        *((same, same) for same in ("dataset.root='1_0'", 'dataset.root="1"', "quantization.layer_bits={fc: 1_0}")),
        *(
            (same, same)
            for same in ("dataset.root=${dataset.name}", "dataset.root=null", "model.width=interval(0,1)")
        ),
    ],
)
def test_only_texts_are_quoted(typed, meant):
    assert as_typed([typed]) == [meant] == as_typed([meant])


@settings(max_examples=10, deadline=None)
@given(st.lists(texts.filter(str.strip), min_size=len(KEYS), max_size=len(KEYS)))
@example(["${dataset.name}", "\\${x}", "a,b"] * 2)
@example(["0\x85", "a\u2028b", "\u2029 1e5", "é\x85", "true\u2028", "a\nb\x85"])
def test_any_text_can_be_given_and_is_recorded(tmp_path_factory, given_texts):
    """Through Hydra, through the types, and through the file from which a run is resumed."""
    given_values = dict(zip(KEYS, given_texts, strict=True))
    config = compose_config([f"{key}={override_value(text)}" for key, text in given_values.items()])
    assert {key: value(config, key) for key in KEYS} == given_values
    path = tmp_path_factory.mktemp("resolved") / "resolved.yaml"
    path.write_text(to_yaml(config), encoding="utf-8")
    read = read_yaml(path)
    assert {key: value(read, key) for key in KEYS} == given_values


def test_a_text_that_needs_quotes_is_answered_with_what_to_type():
    with translate_composition_errors(), pytest.raises(ConfigError) as caught:
        compose_config(["tracking.run_name=it's (new)"])
    assert "\n" not in str(caught.value)
    assert r"""'tracking.run_name='"'"'it\'"'"'s (new)'"'"''""" in str(caught.value)


@pytest.mark.parametrize("text", ["a: [", "- {", "\t"])
def test_what_is_no_yaml_is_told_as_before(tmp_path, text):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"mine\.yaml, line \d+"):
        compose_config(["model=mine"], [str(tmp_path)])


def test_an_alias_may_stand_for_itself(tmp_path):
    path = tmp_path / "x.yaml"
    path.write_text("tracking: &a\n  run_name: 1_0\nmodel: {name: &b 7, layers: {x: {inputs: [*b, 5]}}}\n")
    content = load_typed(path, Config)
    assert content.tracking.run_name == "1_0" and content.model.name == "7"
    assert list(content.model.layers.x.inputs) == ["7", "5"]


@pytest.mark.parametrize(
    "key", ["hydra.run.dir", "hydra.job.name", "recipe.distillation.model.name", "model.layers.x.inputs.0"]
)
def test_keys_of_texts_are_known(key):
    assert is_text(kind_of(key))


@pytest.mark.parametrize(
    "key", ["seed", "model.width", "stages", "model.layers.x.bias", "no.such.key", "hydra.sweeper.trials"]
)
def test_and_so_are_others(key):
    import maxexp.sweep.search.config  # noqa: F401  declares its keys

    assert not is_text(kind_of(key))


def test_committed_presets_are_read_as_hydra_reads_them():
    """No file of conf/ changes its meaning."""
    for path in sorted(Path(conf_dir()).rglob("*.yaml")):
        ours, theirs = (
            OmegaConf.to_container(content) for content in (load_typed(path, Config), OmegaConf.load(path))
        )
        assert ours == theirs, path
