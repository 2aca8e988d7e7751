"""Our maps, the real synthesizer's firmware, the emulator: each network must pass, with equal cycles in all three."""

import random
from pathlib import Path

import pytest

from maxexp.base.errors import DeviceError
from maxexp.board.emulator.run import run_emulated
from maxexp.board.firmware import build_firmware
from maxexp.chip.check import check_fit
from maxexp.chip.operations.linear import FLATTEN_ENGINE_WORDS
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.network.config import Pool
from maxexp.network.graph import build_network
from maxexp.synthesis.ai8x import Synthesis
from tests.conftest import composed

NETWORKS = 50
"""Random networks that must pass."""

RESIDUAL = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "sum": {"out_channels": 44, "inputs": ["stem", "conv"], "eltwise": "add", "pool": "max"},
    "conv2": {"out_channels": 44},
    "conv3": {"out_channels": 44},
    "bare": {"op": "passthrough", "inputs": ["conv3", "sum", "conv2"], "eltwise": "add"},
    "pool": {"op": "passthrough", "pool": "avg", "pool_size": 4},
    "fc": {"op": "linear", "out_features": 10, "wide": True},
}


def check(synthesis: Synthesis, folder: Path) -> None:
    """The synthesizer has confirmed our figures and outputs already; now the emulator has to."""
    run = run_emulated(build_firmware(synthesis.project, folder / "build", MAX78000).image, MAX78000)
    assert run.result.passed, run.result.text
    assert run.cycles == synthesis.cost.cycles == synthesis.figures.cycles
    assert run.layer_cycles[1:] == [layer.cycles for layer in synthesis.cost.layers]
    if run.result.logits:
        # The firmware shifts logits of few-bit weights up before its softmax (docs/hardware.md, Firmware).
        shift = 8 - synthesis.cost.layers[-1].bits
        assert list(run.result.logits.values()) == (synthesis.answer.ravel() << shift).tolist()


@pytest.fixture(scope="session")
def drawn(random_network, max78000):
    """``drawn(number)``: a random network that fits, bits of its layers, and the seed that it is from."""

    def drawn(number: int):
        # What does not fit is refused by us, and another one takes its place.
        for seed in range(number, 10_000, NETWORKS):
            network = random_network(seed, max_channels=150, max_size=20, max_layers=10)
            bits = _bits(network, seed)
            try:
                check_fit(network, bits, max78000)
            except DeviceError:
                continue
            return network, bits, seed
        raise AssertionError("no random network fits")

    return drawn


def _bits(network, seed: int) -> dict[str, int]:
    """Of every width; 8 where the channels of a pass are not all there."""
    draw = random.Random(seed)
    layers = [layer for layer in network if layer.has_weights]
    return {
        x.name: draw.choice([1, 2, 4, 8]) if x.in_shape[0] % 24 == 0 or x.in_shape[0] <= 64 else 8 for x in layers
    }


@pytest.mark.slow
def test_random_networks_have_all_that_the_grammar_has(drawn):
    seen = set()
    for number in range(NETWORKS):
        network, bits, _ = drawn(number)
        for layer in network:
            passes = -(-layer.in_shape[0] // 64)
            pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
            seen |= {layer.op, layer.pool, layer.activation, bits.get(layer.name), f"kernel {layer.kernel_size[0]}"}
            seen |= {"sum"} if layer.operands > 1 else set()
            seen |= {"sum of three"} if layer.operands > 2 else set()
            seen |= {"sum in front of an operation"} if layer.operands > 1 and layer.has_weights else set()
            seen |= {"passes"} if passes > 1 else set()
            seen |= {"wide" if layer.wide else "narrow"}
            if layer.flatten:
                seen |= {"flatten engine" if passes * pixels > FLATTEN_ENGINE_WORDS else "flatten"}
    assert {"conv2d", "linear", "passthrough", Pool.max, Pool.avg, 1, 2, 4, 8} <= seen
    assert {"kernel 1", "kernel 3", "sum", "sum of three", "sum in front of an operation", "passes"} <= seen
    assert {"wide", "narrow", "flatten", "flatten engine"} <= seen


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.parametrize("number", range(NETWORKS))
def test_random_networks(synthesizer, synthesize, compiler, drawn, tmp_path, number):
    network, bits, seed = drawn(number)
    check(synthesize(synthesizer, network, tmp_path, bits, seed), tmp_path)


@pytest.mark.ai8x
@pytest.mark.slow
def test_residual(synthesizer, synthesize, compiler, make_network, tmp_path):
    synthesis = synthesize(synthesizer, make_network(RESIDUAL, (3, 16, 16)), tmp_path)
    copies = [layer.name for layer in synthesis.cost.layers if "-for-" in layer.name]
    assert copies == ["stem-for-sum", "sum-for-bare", "conv2-for-bare"]
    check(synthesis, tmp_path)


BOTH, PASSES = {"inputs": ["stem", "conv"], "eltwise": "add"}, {"inputs": ["long", "short"], "eltwise": "add"}
SHARED = {
    "stem": {"out_channels": 20},
    "conv": {"out_channels": 20},
    "long": {"out_channels": 96, "pool": "max", **BOTH},
    "short": {"out_channels": 96, "kernel_size": 1, "pool": "max", **BOTH},
    "conv2": {"out_channels": 96, **PASSES},
    "bare": {"op": "passthrough", **PASSES},
    "pool": {"op": "passthrough", "inputs": ["bare", "conv2"], "eltwise": "add", "pool": "avg", "pool_size": 8},
    "fc": {"op": "linear", "out_features": 10, "wide": True},
}


@pytest.mark.ai8x
@pytest.mark.slow
def test_sums_that_share_operands(synthesizer, synthesize, compiler, make_network, tmp_path):
    """In one pass and in two, in front of convolutions, pooling and bare; one operand is a shared copy."""
    synthesis = synthesize(synthesizer, make_network(SHARED, (3, 16, 16)), tmp_path)
    copies = [layer.name for layer in synthesis.cost.layers if "-for-" in layer.name]
    assert copies == ["stem-for-long"]
    check(synthesis, tmp_path)


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.parametrize(
    ("model", "quantization", "layers"), [("wrn16_2", "mixed", 23), ("wrn10_3", "mixed", 15), ("resnet20", "qat", 32)]
)
def test_residual_models(synthesizer, synthesize, compiler, tmp_path, model, quantization, layers):
    config = composed(f"model={model}", "dataset=cifar100", f"quantization={quantization}")
    network = build_network(config.model, config.dataset.shape)
    synthesis = synthesize(synthesizer, network, tmp_path, config.quantization.bits(network))
    assert len(synthesis.cost.layers) == layers
    check(synthesis, tmp_path)


TINY = {
    "one pixel row": ({"a": {"out_channels": 2, "kernel_size": 1}}, (1, 1, 3)),
    "one number": ({"a": {"out_channels": 1, "kernel_size": 1, "wide": True}}, (1, 1, 1)),
    "one output of a row": ({"a": {"out_channels": 2}, "b": {"op": "linear", "out_features": 1}}, (1, 1, 3)),
    "one output of rows": (
        {"a": {"out_channels": 8}, "b": {"op": "linear", "out_features": 1, "wide": True}},
        (1, 10, 3),
    ),
    "one output of passes": (
        {"a": {"out_channels": 72}, "b": {"op": "linear", "out_features": 1, "wide": True}},
        (3, 5, 4),
    ),
}


OPERAND = {"out_channels": 576, "kernel_size": 1, "bias": False, "inputs": ["input"]}
AT_LIMITS = {
    "words to flatten": ({"a": {"op": "linear", "out_features": 3, "wide": True}}, (128, 8, 16)),
    "words from pixel to pixel": (
        {
            "a": OPERAND,
            "b": OPERAND,
            "sum": {"op": "passthrough", "inputs": ["a", "b"], "eltwise": "add"},
            "end": {"out_channels": 4, "kernel_size": 1},
        },
        (4, 2, 2),
    ),
}


@pytest.mark.ai8x
@pytest.mark.parametrize("name", [*TINY, *AT_LIMITS])
def test_extreme_networks(synthesizer, synthesize, compiler, make_network, tmp_path, name):
    """So short that a stopwatch says 0 us; a single output, whose cycles the rows of its input decide; 256 words in
    a field of 8 bits, and 18 that do not fit 4 bits, so that the sum's operands are copied.
    """
    layers, shape = {**TINY, **AT_LIMITS}[name]
    check(synthesize(synthesizer, make_network(layers, shape), tmp_path), tmp_path)
