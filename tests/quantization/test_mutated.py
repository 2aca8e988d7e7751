"""Mutated checkpoints: bytes and content. What is read can be used, or one line says why not."""

import random
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from maxexp.base.errors import CheckpointError
from maxexp.network.graph import Network
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
from maxexp.quantization.simulate.fake import quantize_module
from tests.fuzz import SEED, fuzz, mutated

LAYERS = {
    "conv": {"out_channels": 4, "batchnorm": "affine"},
    "sum": {"op": "passthrough", "inputs": ["conv", "input"], "eltwise": "add", "pool": "avg"},
    "fc": {"op": "linear", "out_features": 3, "wide": True, "bias": False},
}


@pytest.fixture
def network(make_network) -> Network:
    return make_network(LAYERS, (4, 4, 4))


@pytest.fixture
def contents(network, make_module, tmp_path) -> list[dict]:
    """What a floating-point, a quantized and an integer checkpoint hold."""
    path, module = tmp_path / "net.pth.tar", make_module(network, 2)
    found = []
    write_module(path, module, 7, {"best_top1": 90.0})
    found.append(torch.load(path))
    for layer in module.layers():
        layer.bn = None
    quantize_module(module, {"conv": 8, "fc": 2}, 0.99)
    write_module(path, module, 7, {"best_top1": 90.0})
    found.append(torch.load(path))
    write_integer(path, to_integer(module), 7, {})
    found.append(torch.load(path))
    return found


@pytest.fixture
def use(network, tmp_path) -> Callable[[Any], None]:
    """Reads a checkpoint, from its bytes or its content, and computes with it."""
    path = tmp_path / "mutated.pth.tar"
    inputs = torch.zeros(1, 4, 4, 4)

    def use(given: Any) -> None:
        if isinstance(given, bytes):
            path.write_bytes(given)
        else:
            torch.save(given, path)
        checkpoint = read_checkpoint(path)
        checkpoint.bits(network)
        if checkpoint.kind is Kind.integer:
            to_integer_network(checkpoint, network)(inputs)
        else:
            module = to_module(checkpoint, network).eval()
            assert bool(module(inputs).isfinite().all())
            if checkpoint.kind is Kind.quantized:
                to_integer(module)(inputs)
        compact(path, tmp_path / "small.pth.tar")

    return use


def numbers(draw: random.Random) -> Any:
    """Something in place of a tensor."""
    value = draw.choice([float("nan"), float("inf"), -1.0, 0.0, 0.5, 5.0, 9.0, 64.0, 1e30, -1e30, 3e38])
    return draw.choice(
        [
            torch.tensor(value),
            torch.tensor([value]),
            torch.zeros(0),
            torch.full((draw.randint(1, 5), 4), value),
            torch.zeros(1).expand(10**9, 10**4),
            torch.zeros(4).as_strided((4, 10**8), (1, 0)),
            torch.tensor([1 + 2j]),
            torch.tensor([True]),
            torch.tensor([[1.0, 0.0]]).to_sparse(),
            torch.zeros(3, device="meta"),
            torch.tensor([2**62]),
            torch.tensor([value], dtype=torch.float64) * 1e300,
            torch.nn.Parameter(torch.tensor([value])),
        ]
    )


def anything(draw: random.Random) -> Any:
    return draw.choice(
        [None, "text", -1, 10**400, 1e30, float("nan"), b"\0", [1, 2], {}, {"a": {"b": 1}}, numbers(draw)]
    )


def changed(contents: list[dict]) -> Iterator[dict]:
    """Endless variants of what checkpoints hold."""
    draw = random.Random(SEED)
    while True:
        content = dict(draw.choice(contents))
        state = dict(content["state_dict"])
        content["state_dict"] = state
        for _ in range(draw.choice((1, 1, 2))):
            key = draw.choice(list(state) or ["x"])
            draw.choice(CHANGES)(draw, content, state, key)
        yield content


def _poke(draw: random.Random, _: dict, state: dict, key: str) -> None:
    tensor = state.get(key)
    if isinstance(tensor, torch.Tensor) and tensor.numel() and tensor.is_floating_point() and tensor.is_contiguous():
        state[key] = tensor = tensor.detach().clone()
        index = draw.randrange(tensor.numel())
        tensor.view(-1)[index] = draw.choice([float("nan"), float("inf"), 1e38, -1e38, 1e5, 127.0, 0.5, -1.0])


CHANGES = [
    _poke,
    _poke,
    lambda draw, content, state, key: state.update({key: numbers(draw)}),
    lambda draw, content, state, key: state.update({key: anything(draw)}),
    lambda draw, content, state, key: state.pop(key, None),
    lambda draw, content, state, key: state.update({f"module.{key}": state.get(key)}),
    lambda draw, content, state, key: state.update({draw.choice([1, None, (2,)]): torch.zeros(1)}),
    lambda draw, content, state, key: content.update({draw.choice(["epoch", "arch", "extras"]): anything(draw)}),
    lambda draw, content, state, key: content.update({"state_dict": anything(draw)}),
]


def test_content(contents, use):
    fuzz("checkpoint structure", use, changed(contents), contents)


def test_bytes(contents, use, tmp_path):
    files = []
    for content in contents:
        torch.save(content, tmp_path / "good")
        files.append((tmp_path / "good").read_bytes())
    torch.save(contents[0], tmp_path / "good", _use_new_zipfile_serialization=False)
    files.append((tmp_path / "good").read_bytes())
    fuzz("checkpoint bytes", use, mutated(files, [b"PK\3\4", b"PK\1\2", b"ctorch\n", b"R.", b"\x8a"]), files)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("conv.op.weight", float("nan"), "conv.op.weight holds values that are no finite numbers"),
        ("conv.op.weight", 1e38, "conv.op.weight holds values that are no finite numbers, or beyond 1e+12"),
        ("conv.op.bias", float("inf"), "conv.op.bias holds values that are no finite numbers"),
        ("conv.weight_bits", 1e30, "conv.weight_bits is 1e+30, and not from 0 to 8"),
        ("conv.weight_bits", 5.0, "layer conv: 5-bit weights"),
        ("conv.bias_bits", 2.5, "conv.bias_bits is 2.5, and not a whole number"),
        ("conv.shift_quantile", float("nan"), "conv.shift_quantile is nan, and not from 0 to 1"),
    ],
)
def test_a_quantized_network_of_broken_numbers_is_refused(network, contents, tmp_path, key, value, message):
    contents[1]["state_dict"][key].view(-1)[0] = value
    torch.save(contents[1], tmp_path / "net.pth.tar")
    with pytest.raises(CheckpointError) as caught:
        to_module(read_checkpoint(tmp_path / "net.pth.tar"), network)
    assert message in str(caught.value)


def test_a_tensor_is_no_larger_than_its_file(contents, tmp_path):
    contents[0]["state_dict"]["conv.op.weight"] = torch.zeros(1).expand(10**6, 10**6)
    torch.save(contents[0], tmp_path / "net.pth.tar")
    with pytest.raises(CheckpointError, match="'conv.op.weight' is no plain tensor of numbers"):
        read_checkpoint(tmp_path / "net.pth.tar")


def test_an_archive_that_unpacks_to_more_than_it_is_is_refused(contents, tmp_path):
    torch.save(contents[0], tmp_path / "net.pth.tar")
    packed = tmp_path / "packed.pth.tar"
    with (
        zipfile.ZipFile(tmp_path / "net.pth.tar") as source,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target,
    ):
        for name in source.namelist():
            target.writestr(name, bytes(10**8) if name.endswith("data/0") else source.read(name))
    with pytest.raises(CheckpointError, match="not a readable checkpoint"):
        read_checkpoint(packed)


def test_weights_that_float16_does_not_hold_are_not_compacted(contents, tmp_path):
    contents[0]["state_dict"]["conv.op.weight"].view(-1)[0] = 1e6
    torch.save(contents[0], tmp_path / "net.pth.tar")
    with pytest.raises(CheckpointError, match=r"conv.op.weight holds values beyond the range of float16"):
        compact(tmp_path / "net.pth.tar", tmp_path / "small.pth.tar")
