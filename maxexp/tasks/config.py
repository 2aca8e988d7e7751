"""The choice of a task, and what of it can be checked without torch: a refused network costs milliseconds."""

from dataclasses import dataclass
from enum import Enum

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.data.config import DatasetConfig
from maxexp.network.graph import Network


class TaskName(Enum):
    """What a network is trained for; each has its class in :mod:`maxexp.tasks.registry`."""

    classification = "classification"
    regression = "regression"


LEARNS_CLASSES = frozenset({TaskName.classification})
"""Tasks whose targets are classes; all others learn real numbers."""
GIVES_MAPS = frozenset({TaskName.regression})
"""Tasks whose networks may end in a map of several pixels."""


@frozen
@dataclass
class TaskConfig:
    """What a network is trained for.

    Attributes:
        name: of the task.
    """

    name: TaskName = TaskName.classification


def check_task(task: TaskConfig, network: Network, dataset: DatasetConfig) -> None:
    """Refuses targets and networks with which a task cannot be done.

    Raises:
        ConfigError: the data set has other targets, or the last layer does not give one number for each.
    """
    has_classes = dataset.num_classes is not None
    if has_classes != (task.name in LEARNS_CLASSES):
        fitting = TaskName.classification if has_classes else TaskName.regression
        kind = "classes" if has_classes else "real targets"
        raise ConfigError(f"task={task.name.name}: the data set {dataset.name} has {kind}; set task={fitting.name}")
    last = network.layers[-1]
    channels, rows, cols = last.out_shape
    if rows * cols > 1 and task.name not in GIVES_MAPS:
        raise ConfigError(
            f"model.layers.{last.name} gives a map of {rows}x{cols} pixels for images of "
            f"{dataset.height}x{dataset.width}; pool more in front of it, or end in op: linear"
        )
    if network.out_features != dataset.outputs:
        key = "num_classes" if has_classes else "num_outputs"
        size = "" if rows * cols == 1 else f" ({channels}x{rows}x{cols}: channels, rows, columns)"
        raise ConfigError(
            f"model.layers.{last.name} gives {network.out_features} outputs{size}, dataset.{key} is "
            f'{dataset.outputs}; describe it with "${{dataset.{key}}}", which follows the data set'
        )
