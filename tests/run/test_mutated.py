"""Mutated command lines and models of one's own: composed, or refused in one line."""

import copy
from pathlib import Path

import pytest
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig, open_dict

from maxexp.base.errors import ConfigError
from maxexp.base.shipped import conf_dir
from maxexp.base.yaml_file import read_yaml
from maxexp.run.composition import compose_config, compose_untyped, described_network, translate_composition_errors
from maxexp.run.config import to_config
from maxexp.run.typed_overrides import as_typed
from tests.fuzz import fuzz, mutated

SHARE = 10
"""Hydra takes a third of a second for each."""
OVERRIDES = [
    b"model=cmsisnnet\ndataset=cifar10\nmodel.layers.conv2.out_channels=48\nseed=3",
    b"quantization.layer_bits={conv1:4}\nstages=[train,evaluate]\nrecipe.milestones=[0.3,0.6]\n+augmentation.cutout.size=8",
]
WORDS = [
    b"~",
    b"+",
    b"++",
    b"=",
    b"@",
    b"${",
    b"${seed}",
    b"[",
    b"{a:",
    b"seed=",
    b"model=",
    b"\n",
    b"..",
    b"1e999",
    b"hydra.",
]
MODEL_WORDS = [
    b"op: ",
    b"out_channels: -1",
    b"inputs: [",
    b"${dataset.num_classes}",
    b"defaults: [x]",
    b"&a [*a]",
    b"!!int ",
    b"{",
]


def compose(data: bytes) -> None:
    described_network(compose_config(data.decode(errors="surrogateescape").split("\n")))


def test_overrides():
    fuzz("overrides", compose, mutated(OVERRIDES, WORDS), OVERRIDES[:1], SHARE)


def test_models(tmp_path):
    path = tmp_path / "model" / "mutated.yaml"
    path.parent.mkdir()
    good = [Path(conf_dir(), "model", f"{name}.yaml").read_bytes() for name in ("digitsnet", "cmsisnnet")]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        described_network(compose_config(["model=mutated", "dataset=digits"], [str(tmp_path)]))

    fuzz("model YAML", read, mutated(good, MODEL_WORDS), good[:1], SHARE)


@pytest.fixture(scope="module")
def composed() -> DictConfig:
    """What Hydra composes for the digits network, to be changed: a copy takes a twentieth of composing anew."""
    return compose_untyped(["model=digitsnet", "dataset=digits"])


def test_values_of_overrides(composed):
    """As Hydra sets them once everything is composed; groups are left to the test of whole command lines."""
    parser = OverridesParser.create()
    good = [b"model.layers.conv1.out_channels=48\nseed=3\n+augmentation.cutout.size=8", *OVERRIDES[1:]]

    def change(data: bytes) -> None:
        config = copy.deepcopy(composed)
        with translate_composition_errors():
            overrides = parser.parse_overrides(as_typed(data.decode(errors="surrogateescape").split("\n")))
            ConfigLoaderImpl._apply_overrides_to_config(overrides, config)
        described_network(to_config(config))

    fuzz("values of overrides", change, mutated(good, WORDS), good[:1], 4)


@pytest.mark.parametrize("levels", [100, 300, 900])
def test_hundreds_of_levels_are_refused(composed, levels):
    config = copy.deepcopy(composed)
    value: object = 1
    for _ in range(levels):
        value = {"a": value}
    with pytest.raises(ConfigError), translate_composition_errors(), open_dict(config):
        config.model.layers.conv1.more = value
        to_config(config)


def test_content_of_models(composed, tmp_path):
    """As it is merged once its file is read."""
    path = tmp_path / "model.yaml"
    good = [Path(conf_dir(), "model", f"{name}.yaml").read_bytes() for name in ("digitsnet", "cmsisnnet")]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        content = read_yaml(path)
        config = copy.deepcopy(composed)
        with translate_composition_errors(), open_dict(config):
            config.model = content
        described_network(to_config(config))

    fuzz("content of a model", read, mutated(good, MODEL_WORDS), good[:1], 4)


@pytest.mark.parametrize(
    "text", ["5", "[1]", "layers: 5", "name: " + "9" * 5000, "a: 0b_", "[" * 3000, "name: !!int x"]
)
def test_a_model_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        compose_config(["model=odd"], [str(tmp_path)])
    assert "\n" not in str(caught.value)
