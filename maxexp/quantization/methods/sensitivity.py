"""What few bits in one layer cost, and the assignment of bits that costs least within a budget of bytes."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor

from maxexp.base.errors import ConfigError, DeviceError
from maxexp.chip.check import check_fit
from maxexp.chip.numbers.arithmetic import WEIGHT_BITS
from maxexp.chip.operations import CHIP_OPERATIONS
from maxexp.chip.part import Part
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import QuantizationConfig
from maxexp.quantization.methods.ptq import prepare, quantize_after_training, quantize_layers

BATCH = 250


class Judge(Protocol):
    """How well a network does its task, as :class:`maxexp.tasks.base.Task` says it."""

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The mean loss."""

    def divergence(self, outputs: Tensor, exact: Tensor) -> float:
        """Returns how far outputs are from those in floating point; never negative."""

    def value(self, outputs: Tensor, targets: Tensor) -> float:
        """The score that selects."""


@dataclass(frozen=True)
class Judgement:
    """Loss and score of a network on validation examples."""

    loss: float
    score: float


@dataclass(frozen=True)
class Damage:
    """What the quantization of one layer does, all others in floating point.

    Attributes:
        loss: by how much the loss rises; it may fall, where noise makes a network less sure of itself.
        score: by how much the score changes.
        divergence: of the outputs from those in floating point, as the task measures it; never negative and with
            little noise, so assignments go by it.
        output_error: squared error of the layer's output, as a share of its mean square.
    """

    loss: float
    score: float
    divergence: float
    output_error: float


@dataclass(frozen=True)
class Assignment:
    """Bits by layer name, the bytes that the weights then take, and the sum of the layers' divergences."""

    bits: dict[str, int]
    weight_bytes: int
    divergence: float


def predict(module: NetworkModule, inputs: Tensor) -> Tensor:
    """Outputs (N, outputs) for ``inputs`` (N, C, H, W)."""
    module.eval()
    with torch.no_grad():
        return torch.cat([module(batch) for batch in inputs.split(BATCH)])


def judged(judge: Judge, outputs: Tensor, targets: Tensor) -> Judgement:
    """Loss and score of outputs (N, outputs)."""
    return Judgement(float(judge.loss(outputs, targets)), judge.value(outputs, targets))


def measure_damage(
    trained: NetworkModule,
    calibration: Tensor,
    inputs: Tensor,
    targets: Tensor,
    config: QuantizationConfig,
    judge: Judge,
) -> tuple[Judgement, dict[str, dict[int, Damage]]]:
    """Quantizes each layer for itself with each number of bits, by the steps of post-training quantization.

    Args:
        trained: in floating point; left as it is.
        calibration: (N, C, H, W) training images as the network reads them.
        inputs: examples on which the damage is measured; not of the test split.
        judge: the task.

    Returns:
        The judgement of the floating-point network, and damages by layer name and bits.
    """
    prepared = copy.deepcopy(trained)
    prepare(prepared, calibration, config)
    exact = predict(prepared, inputs)
    unharmed = judged(judge, exact, targets)
    damages: dict[str, dict[int, Damage]] = {}
    for layer in trained.network:
        if not layer.has_weights:
            continue
        damages[layer.name] = {}
        for bits in sorted(WEIGHT_BITS, reverse=True):
            module = copy.deepcopy(prepared)
            errors = quantize_layers(prepared, module, calibration, {layer.name: bits}, config)
            outputs = predict(module, inputs)
            harmed = judged(judge, outputs, targets)
            damages[layer.name][bits] = Damage(
                harmed.loss - unharmed.loss,
                harmed.score - unharmed.score,
                judge.divergence(outputs, exact),
                errors[layer.name],
            )
    return unharmed, damages


def best_assignments(network: Network, damages: Mapping[str, Mapping[int, float]]) -> list[Assignment]:
    """All assignments that no other beats in both bytes and divergence, from the smallest to the least harmful.

    Exact: layer by layer, of all partial assignments only those are dropped that another one beats, and every
    completion of the other then beats theirs.

    Args:
        damages: divergence by layer name and bits; those of several layers are taken to add up.
    """
    front = [Assignment({}, 0, 0.0)]
    for layer in network:
        if not layer.has_weights:
            continue
        extended = [
            Assignment(
                {**a.bits, layer.name: bits},
                a.weight_bytes + CHIP_OPERATIONS[layer.op].weight_bytes(layer, bits),
                a.divergence + damage,
            )
            for a in front
            for bits, damage in damages[layer.name].items()
        ]
        extended.sort(key=lambda a: (a.weight_bytes, a.divergence))
        front = []
        for assignment in extended:
            if not front or assignment.divergence < front[-1].divergence:
                front.append(assignment)
    return front


def check_budget(budget: int, network: Network) -> None:
    """Refuses bytes for which there are no bits; raises ConfigError."""
    least = sum(CHIP_OPERATIONS[layer.op].weight_bytes(layer, 1) for layer in network)
    if budget < least:
        raise ConfigError(f"quantization.weight_budget={budget}: 1 bit in every layer takes {least:,} bytes already")


def propose(front: list[Assignment], network: Network, budget: int, part: Part) -> Assignment:
    """The least harmful of ``front`` within ``budget`` bytes that also fits the part.

    Raises:
        ConfigError: none is small enough.
        DeviceError: none that is small enough fits.
    """
    check_budget(budget, network)
    affordable = [a for a in front if a.weight_bytes <= budget]
    refusal: DeviceError | None = None
    for assignment in reversed(affordable):
        try:
            check_fit(network, assignment.bits, part)
            return assignment
        except DeviceError as error:
            refusal = error
    assert refusal is not None
    raise refusal


@dataclass(frozen=True)
class Sensitivity:
    """All of a sensitivity analysis.

    Attributes:
        images: how many the judgements are of.
        unharmed: judgement of the floating-point network.
        damages: by layer name and bits.
        front: see :func:`best_assignments`.
        budget: bytes of weights.
        proposal: see :func:`propose`.
        proposed: judgement of the whole network quantized as proposed.
    """

    network: Network
    images: int
    unharmed: Judgement
    damages: dict[str, dict[int, Damage]]
    front: list[Assignment]
    budget: int
    proposal: Assignment
    proposed: Judgement


def analyse(
    trained: NetworkModule,
    calibration: Tensor,
    inputs: Tensor,
    targets: Tensor,
    config: QuantizationConfig,
    part: Part,
    judge: Judge,
) -> Sensitivity:
    """Measures the damages, proposes bits within ``config.weight_budget``, and judges the proposal.

    Args and errors: as :func:`measure_damage` and :func:`propose`.
    """
    network = trained.network
    unharmed, damages = measure_damage(trained, calibration, inputs, targets, config, judge)
    divergences = {name: {bits: damage.divergence for bits, damage in row.items()} for name, row in damages.items()}
    front = best_assignments(network, divergences)
    budget = network.weights // 2 if config.weight_budget is None else config.weight_budget
    proposal = propose(front, network, budget, part)
    quantized = copy.deepcopy(trained)
    quantize_after_training(quantized, calibration, replace(config, layer_bits=proposal.bits))
    proposed = judged(judge, predict(quantized, inputs), targets)
    return Sensitivity(network, len(targets), unharmed, damages, front, budget, proposal, proposed)
