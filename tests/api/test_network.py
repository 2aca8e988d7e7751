"""Networks described from Python, and their cost; the same as of the command line."""

from pathlib import Path

import pytest

import maxexp
from maxexp.base.errors import ConfigError, DeviceError
from maxexp.run.composition import conf_dir
from maxexp.run.description import _composed_here, compose_description, describe

MODELS = sorted(path.stem for path in Path(conf_dir(), "model").glob("*.yaml"))
OVERRIDES = [
    *([f"model={name}", "dataset=cifar10"] for name in MODELS),
    ["model=nascifarnet", "dataset=cifar100", "model.width=0.5"],
    ["model=simplenet", "dataset=cifar10", "model.layers.conv2.out_channels=20", "quantization.weight_bits=4"],
    ["model=nascifarnet", "dataset=cifar10", "device=max78002", "quantization=ptq"],
    ["dataset=digits", "model.layers.fc.wide=false"],
    ["task=regression", "model=tabularnet", "dataset=diabetes"],
    [],
]


@pytest.mark.parametrize("overrides", OVERRIDES, ids=" ".join)
def test_what_is_composed_without_hydra_is_what_hydra_composes(overrides, compose_config):
    try:
        config = compose_config(*overrides)
    except ConfigError:
        assert _composed_here(overrides) is None
        return
    assert _composed_here(overrides) == describe(vars(config))


@pytest.mark.parametrize(
    "overrides",
    [
        ["model=nascifarnett"],
        ["model.widthh=2"],
        ["model.width=wide"],
        ["model.layers.conv9.out_channels=4"],
        ["model.width=1e-1"],
        ["model=digitsnet", "model=simplenet"],
        ["trainer.max_epochs=3"],
        ["+experiment=cifar10_qat"],
        ["dataset=images"],
        ["model.layers.conv2.out_channels='20'"],
    ],
    ids=" ".join,
)
def test_what_is_not_plain_is_left_to_hydra(overrides):
    assert _composed_here(overrides) is None


def test_a_wrong_value_is_told_as_on_the_command_line():
    with pytest.raises(ConfigError, match="model=nascifarnett: no such choice; there are"):
        maxexp.network("nascifarnett", dataset="cifar10")
    with pytest.raises(ConfigError, match="model.widht: no such key"):
        maxexp.network("nascifarnet", dataset="cifar10", widht=2)


def test_cost():
    """The published figures of NASCifarNet: 301,760 weights, 228,217 cycles."""
    net = maxexp.network("nascifarnet", dataset="cifar10")
    cost = net.cost()
    assert (cost.cycles, cost.memory.weight_bytes, cost.parameters) == (228217, 301760, 302602)
    assert cost.latency_us == pytest.approx(228217 / 50)
    assert [layer.name for layer in cost.layers] == [layer.name for layer in net.layers]
    assert repr(cost) == (
        "<nascifarnet on max78000: 228,217 cycles, 4,564 us, 301,760 bytes of weights (68.2 %), 98,304 of data>"
    )
    assert len(repr(net)) < 100 and "301,760 weights" in repr(net)


def test_the_memories_are_drawn():
    figure = maxexp.network("digitsnet", dataset="digits").cost().memory.plot()
    assert [axes.get_title() for axes in figure.axes] == ["data memory, as the layers are computed", "weight memory"]


def test_width_bits_and_single_layers():
    narrow = maxexp.network("digitsnet", "digits", width=0.5, bits=4, layer_bits={"first": 8})
    assert [layer.out_shape[0] for layer in narrow.layers] == [8, 16, 10]
    assert [layer.bits for layer in narrow.cost().layers] == [8, 4, 4]
    wide = maxexp.network("digitsnet", "digits", layers__conv1__out_channels=12)
    assert wide.layers[0].out_shape[0] == 12


def test_a_network_that_does_not_fit_is_refused():
    net = maxexp.network("nascifarnet", dataset="cifar10", width=2)
    with pytest.raises(DeviceError, match="bytes of weights are"):
        net.cost()


LAYERS = {
    "conv": {"op": "conv2d", "out_channels": 8, "kernel_size": 3},
    "fc": {"op": "linear", "out_features": "${dataset.num_classes}"},
}


def test_a_mapping_and_a_file(tmp_path, monkeypatch):
    images = {"channels": 1, "height": 8, "width": 8, "num_classes": 3}
    net = maxexp.network({"name": "mine", "layers": LAYERS}, images)
    assert [layer.weights for layer in net.layers] == [72, 1536]
    text = "name: mine\nlayers:\n  conv: {op: conv2d, out_channels: 8, kernel_size: 3}\n"
    (tmp_path / "my net.yaml").write_text(text + '  fc: {op: linear, out_features: "${dataset.num_classes}"}\n')
    monkeypatch.chdir(tmp_path)
    assert maxexp.network("my net.yaml", images).layers == net.layers
    assert maxexp.network(tmp_path / "my net.yaml", "cifar10").layers[1].out_shape == (10, 1, 1)
    typed = compose_description(["model='./my net.yaml'", "dataset=digits", "model.layers.conv.out_channels=12"])
    assert typed.network.layers[0].out_shape == (12, 8, 8)
    with pytest.raises(ConfigError, match="nope.yaml: no such file"):
        maxexp.network("nope.yaml", images)


def test_another_data_set_keeps_the_choices():
    net = maxexp.network("cmsisnnet", dataset="cifar10", width=0.5)
    other = net.for_dataset("cifar100")
    assert other.layers[-1].out_shape[0] == 100 and other.layers[0].out_shape == net.layers[0].out_shape
