"""Rescaling that brings every activation of a trained network into the chip's range, exactly.

Each tensor is divided by a factor of its own; so the network's function stays as it was and survives the clamp
to [-1, 127/128], whatever ranges it was trained with.
"""

from collections import defaultdict

import torch
from torch import Tensor

from maxexp.chip.numbers.arithmetic import ACTIVATION_MAX, ACTIVATION_MIN, ACTIVATION_SCALE
from maxexp.network.graph import INPUT
from maxexp.network.module import NetworkModule
from maxexp.quantization.simulate.observation import observe
from maxexp.quantization.simulate.rescaling import divide_tensors

SAMPLES = 2**16
"""Values kept per tensor and batch; enough for the error of a range to settle below a percent."""

CANDIDATES = 2.0 ** (-torch.arange(0, 24) / 6)
"""Ranges tried, as a share of the largest magnitude: down to 1/14."""


@torch.no_grad()
def calibrate(module: NetworkModule, inputs: Tensor, batch_size: int = 256) -> dict[str, float]:
    """Rescales a network with folded batch normalization in place, for the least error of its activations.

    Args:
        inputs: (N, C, H, W) training images as the network reads them.

    Returns:
        The factor by which each tensor was divided, by name.
    """
    factors = tensor_factors(module, inputs, batch_size)
    for group in module.network.tied_tensors:
        divide_tensors(module, group, torch.tensor(factors[group[0]], dtype=torch.float64))
    return factors


@torch.no_grad()
def tensor_factors(module: NetworkModule, inputs: Tensor, batch_size: int = 256) -> dict[str, float]:
    """The range, for 8 bits, of least squared error for each tensor; tied tensors share one.

    The network's input keeps 1, and so do 32-bit outputs.
    """
    network = module.network
    samples = _collect(module, inputs, batch_size)
    factors: dict[str, float] = {}
    for group in network.tied_tensors:
        fixed = INPUT in group or (network.layers[-1].name in group and network.layers[-1].wide)
        factor = 1.0 if fixed else best_range(torch.cat([samples[name] for name in group]))
        factors.update(dict.fromkeys(group, factor))
    return factors


def best_range(values: Tensor) -> float:
    """The factor ``f`` whose 8-bit grid, ``f / 128`` apart, has the least squared error on ``values``."""
    values = values.double()
    top = values.abs().max()
    if top == 0:
        return 1.0
    # The largest value itself must have a code: 127/128 of the range.
    ranges = top * CANDIDATES.to(values) * ACTIVATION_SCALE / ACTIVATION_MAX
    errors = []
    for candidate in ranges:
        step = candidate / ACTIVATION_SCALE
        codes = (values / step + 0.5).floor().clamp(ACTIVATION_MIN, ACTIVATION_MAX)
        errors.append(((codes * step - values) ** 2).mean())
    return float(ranges[torch.stack(errors).argmin()])


def _collect(module: NetworkModule, inputs: Tensor, batch_size: int) -> dict[str, Tensor]:
    """Samples of every tensor, and of every sum under the name of its first operand."""
    samples: dict[str, list[Tensor]] = defaultdict(list)
    generator = torch.Generator().manual_seed(0)

    def keep(name: str, tensor: Tensor) -> None:
        flat = tensor.flatten()
        chosen = torch.randint(flat.numel(), (min(SAMPLES, flat.numel()),), generator=generator)
        # The largest magnitude decides where the search starts, so it must not be missed.
        samples[name] += [flat[chosen.to(flat.device)], flat[flat.abs().argmax()][None]]

    observe(module, inputs, batch_size, keep, keep)
    return {name: torch.cat(parts) for name, parts in samples.items()}
