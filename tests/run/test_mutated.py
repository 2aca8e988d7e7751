"""Mutated command lines and models of one's own: composed, or refused in one line."""

from pathlib import Path

import pytest

from maxexp.base.errors import ConfigError
from maxexp.base.shipped import conf_dir
from maxexp.run.composition import compose_config, described_network
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


@pytest.mark.parametrize(
    "text", ["5", "[1]", "layers: 5", "name: " + "9" * 5000, "a: 0b_", "[" * 3000, "name: !!int x"]
)
def test_a_model_that_is_none_is_one_line(tmp_path, text):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "odd.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        compose_config(["model=odd"], [str(tmp_path)])
    assert "\n" not in str(caught.value)
