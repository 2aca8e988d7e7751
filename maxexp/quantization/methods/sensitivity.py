"""What few bits in one layer cost, and the assignment of bits that costs least within a budget of bytes."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
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


@dataclass(frozen=True)
class Score:
    """Cross-entropy and accuracy of a network on labelled images."""

    loss: float
    accuracy: float


@dataclass(frozen=True)
class Damage:
    """What the quantization of one layer does, all others in floating point.

    Attributes:
        loss: by how much the cross-entropy rises; it may fall, where noise makes a network less sure of itself.
        accuracy: by how much the accuracy changes.
        divergence: Kullback-Leibler divergence of the predicted probabilities from those in floating point, mean
            over the images, in nats; never negative and with little noise, so assignments go by it.
        output_error: squared error of the layer's output, as a share of its mean square.
    """

    loss: float
    accuracy: float
    divergence: float
    output_error: float


@dataclass(frozen=True)
class Assignment:
    """Bits by layer name, the bytes that the weights then take, and the sum of the layers' divergences."""

    bits: dict[str, int]
    weight_bytes: int
    divergence: float


def predict(module: NetworkModule, inputs: Tensor) -> Tensor:
    """Outputs (N, classes) for ``inputs`` (N, C, H, W)."""
    module.eval()
    with torch.no_grad():
        return torch.cat([module(batch) for batch in inputs.split(BATCH)])


def score(logits: Tensor, labels: Tensor) -> Score:
    """Cross-entropy and accuracy of logits (N, classes) for labels (N,)."""
    return Score(float(F.cross_entropy(logits, labels)), float((logits.argmax(1) == labels).double().mean()))


def divergence(logits: Tensor, exact: Tensor) -> float:
    """Mean Kullback-Leibler divergence of the probabilities of ``logits`` (N, classes) from those of ``exact``."""
    pair = logits.double().log_softmax(1), exact.double().log_softmax(1)
    return float(F.kl_div(*pair, log_target=True, reduction="batchmean"))


def measure_damage(
    trained: NetworkModule, calibration: Tensor, inputs: Tensor, labels: Tensor, config: QuantizationConfig
) -> tuple[Score, dict[str, dict[int, Damage]]]:
    """Quantize each layer for itself with each number of bits, by the steps of post-training quantization.

    Args:
        trained: in floating point; left as it is.
        calibration: (N, C, H, W) training images as the network reads them.
        inputs: images on which the damage is measured; not of the test split.

    Returns:
        The score of the floating-point network, and damages by layer name and bits.
    """
    prepared = copy.deepcopy(trained)
    prepare(prepared, calibration, config)
    exact = predict(prepared, inputs)
    unharmed = score(exact, labels)
    damages: dict[str, dict[int, Damage]] = {}
    for layer in trained.network:
        if not layer.has_weights:
            continue
        damages[layer.name] = {}
        for bits in sorted(WEIGHT_BITS, reverse=True):
            module = copy.deepcopy(prepared)
            errors = quantize_layers(prepared, module, calibration, {layer.name: bits}, config)
            logits = predict(module, inputs)
            harmed = score(logits, labels)
            damages[layer.name][bits] = Damage(
                harmed.loss - unharmed.loss,
                harmed.accuracy - unharmed.accuracy,
                divergence(logits, exact),
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
    """Refuse bytes for which there are no bits; raises ConfigError."""
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
        images: how many the scores are of.
        unharmed: score of the floating-point network.
        damages: by layer name and bits.
        front: see :func:`best_assignments`.
        budget: bytes of weights.
        proposal: see :func:`propose`.
        proposed: score of the whole network quantized as proposed.
    """

    network: Network
    images: int
    unharmed: Score
    damages: dict[str, dict[int, Damage]]
    front: list[Assignment]
    budget: int
    proposal: Assignment
    proposed: Score


def analyse(
    trained: NetworkModule,
    calibration: Tensor,
    inputs: Tensor,
    labels: Tensor,
    config: QuantizationConfig,
    part: Part,
) -> Sensitivity:
    """Measure the damages, propose bits within ``config.weight_budget``, and score the proposal.

    Args and errors: as :func:`measure_damage` and :func:`propose`.
    """
    network = trained.network
    unharmed, damages = measure_damage(trained, calibration, inputs, labels, config)
    divergences = {name: {bits: damage.divergence for bits, damage in row.items()} for name, row in damages.items()}
    front = best_assignments(network, divergences)
    budget = network.weights // 2 if config.weight_budget is None else config.weight_budget
    proposal = propose(front, network, budget, part)
    quantized = copy.deepcopy(trained)
    quantize_after_training(quantized, calibration, replace(config, layer_bits=proposal.bits))
    proposed = score(predict(quantized, inputs), labels)
    return Sensitivity(network, len(labels), unharmed, damages, front, budget, proposal, proposed)
