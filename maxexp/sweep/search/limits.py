"""The limits of a network that may be trained: what the chip holds and what the user allows, from its description.

Nothing here imports torch: a refused trial takes milliseconds.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maxexp.base.errors import ConfigError, DeviceError, NetworkError
from maxexp.base.metrics import Metric, Need
from maxexp.chip.cost import network_cost
from maxexp.chip.part import Part
from maxexp.network.graph import Network
from maxexp.quantization.config import Method
from maxexp.run.composition import described_network
from maxexp.run.spec import RunSpec, describe
from maxexp.schema.config import Config
from maxexp.tracking.metrics import METRICS, listed

COSTS = tuple(metric for metric in METRICS.values() if metric.known_before_training)
"""Metrics that can be limited."""

FIT = "fit"
"""Name of the constraint that the network fits the chip."""

LEAST_EXCESS = 0.01
"""Violation of a network that does not fit for another reason than the amount of its weights."""

NOT_ON_CHIP = "quantization=float does not run on the chip, so its cost, which is limited, is unknown"

_LIMIT = re.compile(r"\s*(hw/\w+)\s*(<=|>=)\s*([-+.\deE_]+)\s*")


@dataclass(frozen=True)
class Limit:
    """A condition on a cost: ``hw/latency_us <= 2000``."""

    metric: str
    sign: str
    bound: float

    @property
    def name(self) -> str:
        """Returns the name of the constraint in study and run."""
        return f"{self.metric}_{'max' if self.sign == '<=' else 'min'}"

    def excess(self, value: float) -> float:
        """Returns the relative violation of the limit; zero or negative if the limit holds."""
        return (value - self.bound if self.sign == "<=" else self.bound - value) / abs(self.bound)

    def __str__(self) -> str:
        return f"{self.metric} {self.sign} {self.bound:g}"


@dataclass(frozen=True)
class Verdict:
    """What is known of a network before it is trained.

    Attributes:
        costs: the ``hw/`` metrics; none if the network does not fit.
        constraints: by name, not above 0 where kept, as Optuna has them.
        reason: why it must not be trained; None: it may.
        spec: its run, where that is known by then.
    """

    costs: Mapping[str, float]
    constraints: Mapping[str, float]
    reason: str | None = None
    spec: RunSpec | None = None


def parse_limits(texts: Sequence[str]) -> list[Limit]:
    """Reads limits.

    Raises:
        ConfigError: another form than ``METRIC <= NUMBER`` or ``METRIC >= NUMBER``, an unknown metric.
    """
    limits = []
    for text in texts:
        found = _LIMIT.fullmatch(text)
        if not found:
            raise ConfigError(f"hydra.sweeper.limits: {text!r} is not of the form 'hw/latency_us <= 2000'")
        metric, sign, number = found.groups()
        if metric not in [cost.key for cost in COSTS]:
            raise ConfigError(
                f"hydra.sweeper.limits: {metric} is not known before training; known are {listed(COSTS)}"
            )
        try:
            bound = float(number)
        except ValueError:
            bound = 0.0
        if bound == 0:
            raise ConfigError(f"hydra.sweeper.limits: {text!r} needs a number other than 0")
        limits.append(Limit(metric, sign, bound))
    names = [limit.name for limit in limits]
    if len(set(names)) < len(names):
        raise ConfigError("hydra.sweeper.limits: two limits of the same kind on one metric; keep the stricter one")
    return limits


def known_costs(part: Part) -> tuple[Metric, ...]:
    """The costs that a network has on a part."""
    return tuple(cost for cost in COSTS if part.cycles_known or Need.cycle_model not in cost.needs)


def judge(config: Config, limits: Sequence[Limit]) -> Verdict:
    """Checks one configuration against the chip and the limits.

    A network that stays in floating point does not run on the chip: its cost is unknown, which no limit allows.

    Raises:
        ConfigError: the configuration makes no sense whatever the network's size, or it limits a cost that
            its part has no model of.
    """
    unknown = {FIT: LEAST_EXCESS, **{limit.name: 0.0 for limit in limits}}
    if limits and config.quantization.method is Method.float:
        return Verdict({}, unknown, NOT_ON_CHIP)
    _check_known(limits, config.device.part)
    try:
        network = described_network(config)
    except NetworkError as error:
        return Verdict({}, unknown, str(error))
    bits = config.quantization.bits(network)
    try:
        spec = describe(config, network)
    except DeviceError as error:
        excess = max(_weight_excess(network, bits, config.device.part.weight_bytes), LEAST_EXCESS)
        return Verdict({}, {**unknown, FIT: excess}, str(error))
    if spec.fit is None:
        return Verdict({}, {FIT: 0.0}, spec=spec)
    costs = network_cost(network, bits, config.device, spec.fit).metrics()
    constraints = {limit.name: limit.excess(costs[limit.metric]) for limit in limits}
    broken = [limit for limit in limits if constraints[limit.name] > 0]
    reason = "; ".join(f"{limit.metric} is {costs[limit.metric]:g}, the limit {limit}" for limit in broken)
    return Verdict(costs, {FIT: 0.0, **constraints}, reason or None, spec)


def _check_known(limits: Sequence[Limit], part: Part) -> None:
    known = known_costs(part)
    for limit in limits:
        if limit.metric not in [cost.key for cost in known]:
            raise ConfigError(
                f"hydra.sweeper.limits: the timing of {part.name} is unknown, and so is {limit.metric}; known are "
                f"{listed(known)}"
            )


def _weight_excess(network: Network, bits: Mapping[str, int], capacity: int) -> float:
    """Returns the share of the weight memory by which the weights are over it."""
    return sum(layer.weights * bits.get(layer.name, 8) / 8 for layer in network) / capacity - 1
