"""The metrics of the run record that a sweep improves."""

import logging
from collections.abc import Mapping
from math import isfinite

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.board.config import BoardKind
from maxexp.quantization.config import Method
from maxexp.run.config import Config, Stage
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.limits import COSTS, SIZES, known_costs

log = logging.getLogger(__name__)

QUANTIZED = "val/accuracy_integer"
"""The one metric of validation images that the stage quantize writes: what is left of the accuracy in integers."""

METRICS: dict[Stage, tuple[str, ...]] = {
    Stage.train: (
        "train/loss",
        "train/accuracy",
        "train/seconds",
        "train/images_per_s",
        "train/learning_rate",
        "train/qat_epoch",
        "val/loss",
        "val/accuracy",
        "val/accuracy_top5",
        "val/best_accuracy",
        "val/best_epoch",
    ),
    Stage.quantize: (QUANTIZED,),
    Stage.evaluate: (
        "test/accuracy_float",
        "test/accuracy_quantized",
        "test/accuracy_integer",
        "test/images",
        "test/quantized_integer_disagreement",
    ),
    Stage.synthesize: COSTS,
    Stage.deploy: (
        "board/known_answer_pass",
        "board/latency_us",
        "board/accuracy",
        "board/images",
        "board/disagreements",
    ),
}
"""What each stage writes."""

IN_FLOAT = (*METRICS[Stage.train], "test/accuracy_float", "test/images", *SIZES)
"""What a network that stays in floating point has, too."""


class ObjectiveError(MaxexpError):
    """A finished run without a usable value of an objective."""


def check_objectives(objectives: Mapping[str, Direction], config: Config) -> None:
    """Refuse objectives that no trial of this configuration would have.

    Raises:
        ConfigError: an unknown metric, one whose stage does not run, one that network or device does not have, an
            accuracy that was measured before the network was quantized.
    """
    for name in objectives:
        if reason := _why_not(name, config):
            raise ConfigError(f"hydra.sweeper.objectives.{name}: {reason}")


def _why_not(name: str, config: Config) -> str | None:
    """Why a trial of this configuration has no such objective; None: it has."""
    method, known = config.quantization.method, known_costs(config.device)
    stage = next((stage for stage, metrics in METRICS.items() if name in metrics), None)
    if stage is None:
        return f"no such metric; there are {', '.join(_alike(name))}"
    if method is Method.ptq and name.startswith("val/") and name != QUANTIZED:
        return (
            f"quantization=ptq quantizes the network after this was measured; choose by {QUANTIZED} (null takes "
            f"{name} away), with quantize among stages"
        )
    if stage not in config.stages:
        return f"the stage {stage.name} writes it, and stages has only {', '.join(s.name for s in config.stages)}"
    if method is Method.float and name not in IN_FLOAT:
        return "quantization=float does not run on the chip"
    if stage is Stage.synthesize and name not in known:
        return f"the timing of {config.device.name} is unknown; known are {', '.join(known)}"
    if stage is Stage.deploy and config.board.kind is BoardKind.none:
        return "board=none measures nothing; choose board=emulated or board=max78000fthr, with synthesis=ai8x"
    return None


def _alike(name: str) -> list[str]:
    """Metrics of the group of a name, as val/; all where there is no such group."""
    every = [metric for metrics in METRICS.values() for metric in metrics]
    group = name.partition("/")[0]
    return [metric for metric in every if metric.partition("/")[0] == group] or every


def warn_of_test_split(objectives: Mapping[str, Direction]) -> None:
    """Say so where the test split chooses."""
    for name in objectives:
        if name in METRICS[Stage.evaluate]:
            log.warning(
                "objective %s chooses on the test split, so its winner looks better than it is; val/best_accuracy "
                "and %s choose on validation images",
                name,
                QUANTIZED,
            )


def objective_values(objectives: Mapping[str, Direction], metrics: Mapping[str, float]) -> list[float]:
    """The values of a finished run, in the order of the objectives.

    Raises:
        ObjectiveError: the run has no such metric, or it is no finite number.
    """
    values = []
    for name in objectives:
        if name not in metrics:
            raise ObjectiveError(f"the run has no metric {name}; it has {', '.join(sorted(metrics)) or 'none'}")
        if not isfinite(metrics[name]):
            raise ObjectiveError(f"{name} is {metrics[name]}")
        values.append(float(metrics[name]))
    return values
