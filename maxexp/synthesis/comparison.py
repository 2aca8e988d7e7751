"""Our figures of a network beside the synthesizer's."""

import numpy as np

from maxexp.base.errors import SynthesisError
from maxexp.chip.cost import Cost
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.synthesis.log import SynthesisLog


def check_figures(cost: Cost, log: SynthesisLog) -> None:
    """Compares layer by layer, then in total.

    Raises:
        SynthesisError: a figure differs; names the layer and both values. Then our model of the chip is wrong, or
            the checkout is of a version that it does not know.
    """
    if len(cost.layers) != len(log.layers):
        _fail("the network", "layers", len(cost.layers), len(log.layers))
    memory = cost.fit.memory
    for layer, ours, theirs in zip(memory.network, cost.layers, log.layers, strict=True):
        where = f"layer {ours.name}"
        _compare(where, "cycles", ours.cycles, theirs.cycles)
        _compare(where, "multiply-accumulates", ours.macs, theirs.macs)
        _compare(where, "operations", ours.ops, theirs.ops)
        columns = CHIP_OPERATIONS[layer.op].logged_columns(layer, ours.bits, memory.part)
        _compare(where, "kernel columns", columns, theirs.kernel_columns)
        _compare(where, "first kernel column", memory.kernel_offset.get(ours.name, 0), theirs.kernel_offset)
    _compare("the network", "cycles", cost.cycles, log.cycles)
    _compare("the network", "multiply-accumulates", cost.network.macs, log.macs)
    _compare("the network", "operations", cost.network.ops, log.ops)
    _compare("the network", "bytes of weights", cost.fit.weight_bytes, log.weight_bytes)
    _compare("the network", "bytes of biases", cost.fit.bias_bytes, log.bias_bytes)


def check_answer(ours: np.ndarray, theirs: np.ndarray) -> None:
    """Compares the outputs for the sample, integer by integer.

    Raises:
        SynthesisError: one differs, or their number does, or they are no integers.
    """
    if theirs.dtype.kind not in "iu":
        raise SynthesisError(f"ai8x-synthesis left a known answer of {theirs.dtype} and not of integers")
    if ours.size != theirs.size:
        _fail("the known answer", "outputs", ours.size, theirs.size)
    different = np.flatnonzero(ours.ravel() != theirs.ravel())
    if different.size:
        first = int(different[0])
        what = f"output {first} ({different.size} of {ours.size} differ)"
        _fail("the known answer", what, int(ours.ravel()[first]), int(theirs.ravel()[first]))


def _compare(where: str, what: str, ours: int | None, theirs: int) -> None:
    # Where the timing of the part is not known there is nothing to compare.
    if ours is not None and ours != theirs:
        _fail(where, what, ours, theirs)


def _fail(where: str, what: str, ours: int, theirs: int) -> None:
    raise SynthesisError(
        f"{where}: {what}: our model says {ours:,}, ai8x-synthesis says {theirs:,}; the model was made for its "
        "version of August 2024 (ab4f4c0): report it, or use synthesis=estimate"
    )
