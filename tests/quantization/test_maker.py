"""The maker's checkpoint of NASCifarNet: our quantizer, integers and logits against its tools'."""

import json

import numpy as np
import pytest
import torch

from maxexp.quantization.files.checkpoint import Kind, read_checkpoint, to_integer_network, to_module, write_integer
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.simulate.fake import QuantizedNumerics


@pytest.fixture(scope="module")
def trained(ai8x):
    return read_checkpoint(ai8x / "ai85-cifar10-qat8.pth.tar")


@pytest.fixture(scope="module")
def quantized(ai8x):
    return read_checkpoint(ai8x / "ai85-cifar10-qat8-q.pth.tar")


@pytest.fixture(scope="module")
def sample(ai8x):
    return torch.from_numpy(np.load(ai8x / "sample_cifar-10.npy"))[None]


@pytest.fixture(scope="module")
def golden(ai8x):
    return json.loads((ai8x / "cifar10-nas.golden.json").read_text())


def test_kinds_and_settings(trained, quantized, model):
    network = model("nascifarnet")
    assert (trained.kind, quantized.kind) == (Kind.quantized, Kind.integer)
    assert trained.arch == quantized.arch == "ai85nascifarnet"
    assert trained.bits(network) == dict.fromkeys(network.by_name, 8)
    numerics = [layer.numerics for layer in to_module(trained, network).layers()]
    assert numerics == [QuantizedNumerics(8, 8, pytest.approx(0.995))] * 11


def test_quantizer_agrees_in_every_tensor(trained, quantized, model, tmp_path):
    write_integer(tmp_path / "ours.pth.tar", to_integer(to_module(trained, model("nascifarnet"))), 0, {})
    ours = read_checkpoint(tmp_path / "ours.pth.tar").state
    assert len(quantized.state) == 88
    assert list(ours) == list(quantized.state)
    for key, value in quantized.state.items():
        assert torch.equal(ours[key], value.float()), key


def test_golden_logits(trained, quantized, model, sample, golden):
    network = model("nascifarnet")
    from_quantized = to_integer_network(quantized, network)
    from_trained = to_integer(to_module(trained, network))
    assert from_quantized(sample)[0].tolist() == golden["logits_int32"]
    assert from_trained(sample)[0].tolist() == golden["logits_int32"]
    for ours, theirs in zip(from_trained.layers, from_quantized.layers, strict=True):
        assert torch.equal(ours.weight, theirs.weight) and torch.equal(ours.bias, theirs.bias)
        assert (ours.shift, ours.bits) == (theirs.shift, theirs.bits)


def test_simulation_of_the_maker_network_is_exact(trained, model, sample, golden):
    module = to_module(trained, model("nascifarnet")).double().eval()
    last = module.layers()[-1]
    unit = 2.0 ** (1 - 8 - last.numerics.exponent(last)) / 128
    assert (module(sample.double() / 128) / unit)[0].tolist() == golden["logits_int32"]
