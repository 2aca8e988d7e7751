"""Checkpoints: round trips, the maker's formats, and one line for every file that is none."""

import pickle

import pytest
import torch

from maxexp.base.errors import CheckpointError
from maxexp.network.config import BatchNorm
from maxexp.quantization.files.checkpoint import (
    Kind,
    compact,
    read_checkpoint,
    to_integer_network,
    to_module,
    write_integer,
    write_module,
)
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.simulate.fake import ClampedNumerics, QuantizedNumerics, quantize_module, set_numerics

LAYERS = {
    "a": {"out_channels": 4, "batchnorm": "affine"},
    "b": {"out_channels": 4, "batchnorm": "no_affine", "pool": "max"},
    "c": {"out_channels": 4},
    "sum": {"op": "passthrough", "inputs": ["b", "c"], "eltwise": "add", "pool": "avg"},
    "fc": {"op": "linear", "out_features": 3, "wide": True, "bias": False},
}
BITS = {"a": 8, "b": 4, "c": 2, "fc": 1}


@pytest.fixture
def network(make_network):
    return make_network(LAYERS, (3, 8, 8))


@pytest.fixture
def module(network, make_module):
    return make_module(network, 2)


@pytest.fixture
def quantized(module):
    for layer in module.layers():
        layer.bn = None
    quantize_module(module, BITS, 0.99)
    return module


@pytest.fixture
def path(tmp_path):
    return tmp_path / "folder" / "net.pth.tar"


def save(path, **content):
    path.parent.mkdir(exist_ok=True)
    torch.save(content, path)
    return path


@pytest.mark.parametrize("clamped", [False, True])
def test_float_round_trip(network, module, path, random_images, clamped):
    if clamped:
        set_numerics(module, ClampedNumerics())
    write_module(path, module, 7, {"best_top1": 90.0})
    checkpoint = read_checkpoint(path)
    assert (checkpoint.kind, checkpoint.epoch, checkpoint.arch) == (Kind.float, 7, "net")
    assert checkpoint.bits(network) is None
    again = to_module(checkpoint, network).eval()
    x = random_images(network, 9).float() / 128
    assert torch.equal(again(x), module(x))
    assert all(isinstance(layer.numerics, ClampedNumerics) is clamped for layer in again.layers())
    assert not any(isinstance(layer.numerics, QuantizedNumerics) for layer in again.layers())


def test_quantized_round_trip(network, quantized, path, random_images):
    """The sum and its average pooling have no weights, and are quantized all the same."""
    write_module(path, quantized, 3, {})
    checkpoint = read_checkpoint(path)
    assert (checkpoint.kind, checkpoint.bits(network)) == (Kind.quantized, BITS)
    again = to_module(checkpoint, network).eval()
    x = random_images(network, 40).float() / 128
    assert torch.equal(again(x), quantized(x))
    for mine, theirs in zip(to_integer(again).layers, to_integer(quantized).layers, strict=True):
        assert (mine.shift, mine.bits) == (theirs.shift, theirs.bits)


def test_integer_round_trip(network, quantized, path, random_images):
    integer = to_integer(quantized)
    write_integer(path, integer, 0, {})
    checkpoint = read_checkpoint(path)
    assert (checkpoint.kind, checkpoint.bits(network)) == (Kind.integer, BITS)
    again = to_integer_network(checkpoint, network)
    images = random_images(network, 40)
    assert torch.equal(again(images), integer(images))
    assert again.bits == BITS
    for mine, theirs in zip(again.layers, integer.layers, strict=True):
        assert (mine.shift, mine.quantile) == (theirs.shift, pytest.approx(theirs.quantile))


def test_files_are_plain_tensors_in_the_makers_order(quantized, path):
    """docs/hardware.md, Checkpoints: what izer and ``train.py --evaluate -8`` read; no class on any allow-list."""
    write_integer(path, to_integer(quantized), 5, {"note": "text", "accuracy": 0.5})
    content = torch.load(path, weights_only=True)
    assert content["epoch"] == 5 and content["arch"] == "net" and content["extras"]["note"] == "text"
    keys = ["output_shift", "weight_bits", "bias_bits", "quantize_activation", "adjust_output_shift"]
    keys += ["shift_quantile", "op.weight", "op.bias"]
    state = content["state_dict"]
    assert list(state)[:8] == [f"a.{key}" for key in keys]
    assert all(value.dtype is torch.float32 for value in state.values())
    # As izer reads them: bias / 2^(b-1), final shift = stored + 8 - b.
    entry = {x.layer.name: x for x in to_integer(quantized).layers}["b"]
    assert torch.equal(state["b.op.bias"] / 2**3, entry.bias.float())
    assert state["b.output_shift"].item() + 8 - 4 == entry.shift
    assert not list(path.parent.glob("*.part"))


def test_trained_weights_are_written_in_the_order_of_their_shape(quantized, path):
    """Training leaves them channels last, of which the maker's ``quantize.py -v`` cannot make one row."""
    layer = quantized.to(memory_format=torch.channels_last).layers()[0]
    assert not layer.op.weight.is_contiguous()
    compacted = path.with_name("small.pth.tar")
    write_module(path, quantized, 0, {})
    compact(path, compacted)
    for file in (path, compacted):
        weight = torch.load(file, weights_only=True)["state_dict"]["a.op.weight"]
        assert weight.is_contiguous() and torch.allclose(weight.float(), layer.op.weight, rtol=1e-3)


def test_prefix_of_data_parallel_training_is_ignored(network, quantized, path, random_images):
    write_module(path, quantized, 0, {})
    content = torch.load(path, weights_only=True)
    content["state_dict"] = {f"module.{key}": value for key, value in content["state_dict"].items()}
    again = to_module(read_checkpoint(save(path, **content)), network).eval()
    x = random_images(network, 9).float() / 128
    assert torch.equal(again(x), quantized(x))


def test_parameters_under_both_names_must_be_equal(network, quantized, path):
    """The maker's quantizer keeps those of a parallel network and adds its own: as it published kws20_v3."""
    write_integer(path, to_integer(quantized), 0, {})
    content = torch.load(path, weights_only=True)
    state = content["state_dict"]
    state |= {f"module.{key}": value.to(torch.int32) for key, value in state.items() if key.endswith("weight")}
    torch.save(content, path)
    assert read_checkpoint(path).kind is Kind.integer
    state["module.a.op.weight"] += 1
    torch.save(content, path)
    with pytest.raises(CheckpointError, match="it holds a.op.weight twice"):
        read_checkpoint(path)


def test_batch_norm_is_as_the_file_has_it(make_network, module, path):
    write_module(path, module, 0, {})
    plain = {name: {**entry, "batchnorm": "none"} for name, entry in LAYERS.items()}
    again = to_module(read_checkpoint(path), make_network(plain, (3, 8, 8)))
    assert [layer.bn is not None and layer.bn.affine for layer in again.layers()[:3]] == [True, False, False]
    assert again.network.by_name["a"].batchnorm is BatchNorm.none


def test_qat_version_2(make_network, path):
    """docs/hardware.md, Checkpoints and 2.5, by hand: output shift minus threshold; the last layer's scale is
    software's."""
    network = make_network(
        {
            "a": {"out_channels": 2, "kernel_size": 1, "activation": "none"},
            "sum": {"op": "passthrough", "inputs": ["a", "input"], "eltwise": "add"},
            "fc": {"op": "linear", "out_features": 1, "wide": True},
        },
        (2, 1, 1),
    )
    generator = torch.Generator().manual_seed(4)
    state = {"sum.activation_threshold": torch.tensor(2.0)}
    shapes = {"a": (2, 2, 1, 1), "fc": (1, 2)}
    for name, threshold in (("a", 2.0), ("fc", 1.0)):
        scalars = {"output_shift": 0, "weight_bits": 8, "bias_bits": 8, "quantize_activation": 1}
        scalars |= {"adjust_output_shift": 1, "shift_quantile": 1, "clamp_activation": 1}
        state |= {f"{name}.{key}": torch.tensor([float(value)]) for key, value in scalars.items()}
        state[f"{name}.activation_threshold"] = torch.tensor(threshold)
        state[f"{name}.final_scale"] = torch.tensor(3.0 if name == "fc" else 0.0)
        state[f"{name}.op.weight"] = torch.randn(shapes[name], generator=generator)
        state[f"{name}.op.bias"] = torch.randn(shapes[name][0], generator=generator)
    checkpoint = read_checkpoint(save(path, epoch=1, arch="net", state_dict=state, extras={}))
    assert checkpoint.kind is Kind.quantized
    integer = to_integer(to_module(checkpoint, network))
    for entry in (integer.layers[0], integer.layers[2]):
        name = entry.layer.name
        weight, bias = state[f"{name}.op.weight"], state[f"{name}.op.bias"]
        s = int((1 / torch.cat((weight.flatten(), bias)).abs().max()).log2().floor())
        assert torch.equal(entry.weight.float(), (weight * 2.0 ** (7 + s) + 0.5).floor().clamp(-128, 127))
        assert torch.equal(entry.bias.float(), (bias * 2.0 ** (7 + s) + 0.5).floor().clamp(-128, 127))
        if name == "a":
            assert entry.shift == -s - 2


def test_floating_point_phase_of_version_2_is_not_clamped(network, module, path):
    write_module(path, module, 0, {})
    content = torch.load(path, weights_only=True)
    del content["extras"]["maxexp_clamped"]
    for clamp in (0.0, 1.0):
        content["state_dict"] |= {f"{name}.clamp_activation": torch.tensor([clamp]) for name in BITS}
        again = to_module(read_checkpoint(save(path, **content)), network)
        assert isinstance(again.layers()[0].numerics, ClampedNumerics) is bool(clamp)


def test_missing_bits_stand_for_eight(network, quantized, path):
    """docs/hardware.md, Weights and scales: the maker's quantizer takes 8 where ``weight_bits`` is missing or 0."""
    write_module(path, quantized, 0, {})
    content = torch.load(path, weights_only=True)
    content["state_dict"]["b.weight_bits"].zero_()
    content["state_dict"]["b.bias_bits"].zero_()
    del content["state_dict"]["c.weight_bits"]
    checkpoint = read_checkpoint(save(path, **content))
    assert checkpoint.bits(network) == {"a": 8, "b": 8, "c": 8, "fc": 1}
    assert [layer.numerics.bits for layer in to_module(checkpoint, network).layers()[:3]] == [8, 8, 8]
    assert to_module(checkpoint, network).layers()[1].numerics.bias_bits == 8


def refusal(call, *arguments):
    with pytest.raises(CheckpointError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_files_that_are_no_checkpoints(quantized, path):
    assert refusal(read_checkpoint, path) == f"checkpoint={path}: no such file"
    assert "no such file" in refusal(read_checkpoint, path.parent.parent)
    write_module(path, quantized, 0, {})
    whole = path.read_bytes()
    for content in (b"", b"garbage" * 100, whole[: len(whole) // 2]):
        path.write_bytes(content)
        assert f"checkpoint={path}: not a readable checkpoint" in refusal(read_checkpoint, path)
    for content in ({}, {"state_dict": {}}, {"state_dict": {"conv.weight": torch.zeros(1)}}, {"state_dict": [1]}):
        assert "not in the ai8x format" in refusal(read_checkpoint, save(path, **content))
    torch.save([1, 2], path)
    assert "not in the ai8x format" in refusal(read_checkpoint, path)


def test_the_state_of_an_interrupted_training_is_refused(quantized, path):
    """Its names end like ours, but the numerics of its phase are not in it."""
    state = {f"network.{key}": value for key, value in quantized.state_dict().items()}
    save(path, state_dict=state, **{"pytorch-lightning_version": "2.6.0", "epoch": 3})
    assert "resume=RUN_ID" in refusal(read_checkpoint, path)


def test_checkpoints_of_other_networks(make_network, quantized, path):
    write_module(path, quantized, 0, {})
    checkpoint = read_checkpoint(path)

    def other(changes):
        layers = {name: entry for name, entry in (LAYERS | changes).items() if entry is not None}
        return make_network(layers, (3, 8, 8))

    wider = {"c": {"out_channels": 4}, "d": {"out_channels": 4}, "sum": {**LAYERS["sum"], "inputs": ["b", "d"]}}
    extra = {"a": LAYERS["a"], "b": LAYERS["b"], "c": None, "sum": {"op": "passthrough"}}
    cases = [
        (make_network({**{k: LAYERS[k] for k in "ab"}, **wider, "fc": LAYERS["fc"]}, (3, 8, 8)), "it lacks d"),
        (other(extra), "it has c"),
        (other({"fc": {**LAYERS["fc"], "out_features": 10}}), r"fc is (3, 16), the network's is (10, 16)"),
        (other({"c": {"out_channels": 4, "kernel_size": 1}}), "c is (4, 4, 3, 3), the network's is (4, 4, 1, 1)"),
        (other({"fc": {**LAYERS["fc"], "bias": True}}), "fc lacks biases; set model.layers.fc.bias=False"),
        (other({"c": {"out_channels": 4, "bias": False}}), "c has biases; set model.layers.c.bias=True"),
    ]
    for network, message in cases:
        for load in (to_module, to_integer_network):
            text = refusal(load, checkpoint, network)
            assert f"checkpoint={path} is not of the network net" in text and message in text, text


def test_integers_cannot_be_trained_and_floats_are_no_integers(network, quantized, path):
    write_integer(path, to_integer(quantized), 0, {})
    assert "cannot be trained or quantized again" in refusal(to_module, read_checkpoint(path), network)
    write_module(path, quantized, 0, {})
    assert "weights are not integers" in refusal(to_integer_network, read_checkpoint(path), network)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("a.op.weight", 128.0, "layer a: weights outside of 8 bits"),
        ("b.op.weight", -9.0, "layer b: weights outside of 4 bits"),
        ("a.op.bias", 128.0 * 128, "layer a: biases outside of 8 bits"),
        ("a.output_shift", 16.0, "layer a: output shift 16"),
        ("a.weight_bits", 5.0, "layer a: 5-bit weights"),
        ("a.op.weight", float("nan"), "layer a: its weights are not integers"),
    ],
)
def test_integers_out_of_range(network, quantized, path, key, value, message):
    write_integer(path, to_integer(quantized), 0, {})
    content = torch.load(path, weights_only=True)
    content["state_dict"][key].view(-1)[0] = value
    assert message in refusal(to_integer_network, read_checkpoint(save(path, **content)), network)


class Bomb:
    """Writes a file when unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_code_in_a_checkpoint_is_not_run(path, tmp_path):
    trace = tmp_path / "executed"
    save(path, epoch=0, arch="net", state_dict={"a.op.weight": torch.zeros(1)}, extras={"x": Bomb(trace)})
    assert "not a readable checkpoint" in refusal(read_checkpoint, path)
    assert not trace.exists()
    path.write_bytes(pickle.dumps(Bomb(trace), protocol=2))
    assert "not a readable checkpoint" in refusal(read_checkpoint, path)
    assert not trace.exists()
    pickle.loads(path.read_bytes()).close()
    assert trace.exists(), "the file would have been written"
