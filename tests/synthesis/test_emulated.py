"""Our maps, the real synthesizer's firmware, the emulator: each network must pass, with equal cycles in all three."""

from pathlib import Path

import pytest

from maxexp.board.emulator.contents import contents_after, contents_at_start
from maxexp.board.emulator.run import run_emulated
from maxexp.board.firmware import build_firmware
from maxexp.chip.operations.linear import FLATTEN_ENGINE_WORDS
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.network.config import Pool
from maxexp.network.graph import build_network
from maxexp.synthesis.ai8x import ConfirmedSynthesis
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.native.stores import stores
from tests.conftest import composed
from tests.synthesis.networks import AT_LIMITS, RANDOM, RESHAPED, RESIDUAL, SHARED, TINY


def check(synthesis: ConfirmedSynthesis, folder: Path) -> None:
    """The synthesizer has confirmed our figures, outputs and firmware already; now the emulator has to."""
    image = build_firmware(synthesis.project, folder / "build", MAX78000).image
    run = run_emulated(image, MAX78000)
    assert run.result.passed, run.result.text
    assert run.cycles == synthesis.cost.cycles == synthesis.figures.cycles
    assert run.layer_cycles[1:] == [layer.cycles for layer in synthesis.cost.layers]
    if run.result.logits:
        assert list(run.result.logits.values()) == (synthesis.answer.ravel() << synthesis.printed_shift).tolist()
    ours = contents_after(stores(configuration(synthesis.cost.fit.memory, synthesis.integer.layers)), MAX78000)
    assert ours.differences(contents_at_start(image, MAX78000)) == []


@pytest.mark.slow
def test_random_networks_have_all_that_the_grammar_has(drawn):
    seen = set()
    for number in range(RANDOM):
        network, bits, _ = drawn(number)
        for layer in network:
            passes = -(-layer.in_shape[0] // 64)
            pixels = layer.pooled_shape[1] * layer.pooled_shape[2]
            seen |= {layer.op, layer.pool, layer.activation, bits.get(layer.name), f"kernel {layer.kernel_size[0]}"}
            seen |= {"sum"} if layer.operands > 1 else set()
            seen |= {"reshaped"} if layer.in_size else set()
            seen |= {"sum of three"} if layer.operands > 2 else set()
            seen |= {"sum in front of an operation"} if layer.operands > 1 and layer.has_weights else set()
            seen |= {"passes"} if passes > 1 else set()
            seen |= {"wide" if layer.wide else "narrow"}
            if layer.flatten:
                seen |= {"flatten engine" if passes * pixels > FLATTEN_ENGINE_WORDS else "flatten"}
    assert {"conv2d", "linear", "passthrough", Pool.max, Pool.avg, 1, 2, 4, 8} <= seen
    assert {"kernel 1", "kernel 3", "sum", "sum of three", "sum in front of an operation", "passes"} <= seen
    assert {"wide", "narrow", "flatten", "flatten engine", "reshaped", "conv1d"} <= seen


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.parametrize("number", range(RANDOM))
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
def test_signals_read_as_maps_and_back(synthesizer, synthesize, compiler, make_network, tmp_path):
    check(synthesize(synthesizer, make_network(RESHAPED, (3, 128, 1)), tmp_path), tmp_path)


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


@pytest.mark.ai8x
@pytest.mark.parametrize("name", [*TINY, *AT_LIMITS])
def test_extreme_networks(synthesizer, synthesize, compiler, make_network, tmp_path, name):
    """So short that a stopwatch says 0 us; a single output, whose cycles the rows of its input decide; 256 words in
    a field of 8 bits, and 18 that do not fit 4 bits, so that the sum's operands are copied.
    """
    layers, shape = {**TINY, **AT_LIMITS}[name]
    check(synthesize(synthesizer, make_network(layers, shape), tmp_path), tmp_path)
