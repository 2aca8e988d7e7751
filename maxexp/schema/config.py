"""The typed schema of a whole run: every key, with its role for the result."""

from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from enum import Enum
from typing import Any

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.base.roles import PLACE
from maxexp.board.config import BoardConfig
from maxexp.chip.config import DeviceConfig
from maxexp.data.augmentation.config import AugmentationConfig
from maxexp.data.config import DatasetConfig
from maxexp.network.config import NetworkConfig
from maxexp.quantization.config import QuantizationConfig
from maxexp.synthesis.config import SynthesisConfig
from maxexp.tasks.config import TaskConfig
from maxexp.tracking.config import TrackingConfig
from maxexp.training.config import RecipeConfig, TrainerConfig


class Stage(Enum):
    """Stages of a run, in the order in which they run."""

    train = "train"
    quantize = "quantize"
    evaluate = "evaluate"
    synthesize = "synthesize"
    deploy = "deploy"


@frozen
@dataclass
class Config:
    """Every key of a run; the groups are documented where they are defined."""

    model: NetworkConfig
    dataset: DatasetConfig
    augmentation: AugmentationConfig
    quantization: QuantizationConfig
    recipe: RecipeConfig
    trainer: TrainerConfig
    device: DeviceConfig
    synthesis: SynthesisConfig
    board: BoardConfig
    tracking: TrackingConfig = field(metadata=PLACE)
    task: TaskConfig = field(default_factory=TaskConfig)
    seed: int = 1
    stages: list[Stage] = field(default_factory=lambda: list(Stage))
    checkpoint: str | None = None
    resume: str | None = field(default=None, metadata=PLACE)

    def __post_init__(self) -> None:
        if not self.stages:
            raise ConfigError(f"stages=[]: give at least one of {', '.join(s.name for s in Stage)}")
        for key in ("checkpoint", "resume"):
            if getattr(self, key) == "":
                raise ConfigError(f"{key}= is empty: give a value, or leave it out")
        if self.seed < 0:
            raise ConfigError(f"seed={self.seed}: must not be negative")


def keys_at_default(config: Any, prefix: str = "") -> Iterator[str]:
    """The keys, dotted, of a typed configuration that have their default."""
    if isinstance(config, dict):
        for name, value in config.items():
            yield from keys_at_default(value, f"{prefix}{name}.")
    elif is_dataclass(config):
        for f in fields(config):
            value = getattr(config, f.name)
            default = f.default if f.default_factory is MISSING else f.default_factory()
            if value == default:
                yield f"{prefix}{f.name}"
            yield from keys_at_default(value, f"{prefix}{f.name}.")


def to_plain(config: Any) -> Any:
    """Returns the nested dicts, lists, strings and numbers of a configuration; enums by name."""
    if isinstance(config, Enum):
        return config.name
    if is_dataclass(config):
        return {f.name: to_plain(getattr(config, f.name)) for f in fields(config)}
    if isinstance(config, dict):
        return {key: to_plain(value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return [to_plain(value) for value in config]
    return config
