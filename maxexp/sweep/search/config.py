"""What can be chosen about a sweep: the ``hydra.sweeper`` group of the configuration."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import ConfigError, check
from maxexp.base.frozen import frozen
from maxexp.base.shipped import conf_dir
from maxexp.base.text_keys import TEXT, declare
from maxexp.run.explain import explain
from maxexp.schema.config import Config
from maxexp.tasks.scores.classification import ACCURACY
from maxexp.tracking.metrics import METRICS

if TYPE_CHECKING:
    from optuna.study import StudyDirection

DEFAULTS = {"sampler": "tpe", "launcher": "local"}
"""Files of ``conf/`` that are taken where none of their group is chosen."""


class Direction(Enum):
    """The direction in which values of an objective are better."""

    minimize = "minimize"
    maximize = "maximize"


JUDGED = tuple(metric.key for metric in METRICS.values() if metric.per_epoch and metric.better)
"""Metrics by which trainings can be compared after each epoch."""


@frozen
@dataclass
class PruningConfig:
    """When a training is pruned.

    A trial is compared, epoch by epoch, with those that cost no more than it in any objective known before
    training; so a small network is never pruned for being less accurate than a large one.

    Attributes:
        metric: of each epoch, with values that are better than others, one of ``JUDGED``.
        warmup_epochs: epochs that every trial may train.
        rivals: how many trials there must be to compare with.
        percentile: a trial is pruned if its best epoch so far is worse than this percentile of its rivals'.
    """

    metric: str = ACCURACY.validation.key
    warmup_epochs: int = 3
    rivals: int = 5
    percentile: float = 50.0

    def __post_init__(self) -> None:
        _check("pruning.metric", self.metric, self.metric in JUDGED, f"must be one of {', '.join(JUDGED)}")
        _check("pruning.warmup_epochs", self.warmup_epochs, self.warmup_epochs >= 1, "must be at least 1")
        _check("pruning.rivals", self.rivals, self.rivals >= 1, "must be at least 1")
        _check("pruning.percentile", self.percentile, 0 < self.percentile < 100, "must be between 0 and 100")


@frozen
@dataclass
class FinalConfig:
    """The second phase, for the Pareto set of the first.

    Attributes:
        overrides: what is different from the first phase: the full recipe, more stages.
        most: how many of the Pareto set at most, spread evenly along it; null: all. Only those that are at least as
            good as the baseline in the first objective, if there is one and they are.
        seeds: with each of which every network is trained, baseline included; its figures are the means. Empty: once,
            with the seed of the configuration.
    """

    overrides: list[str] = field(default_factory=list)
    most: int | None = None
    seeds: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        _check("final.overrides", self.overrides, bool(self.overrides), "name what is different in the second phase")
        _check("final.most", self.most, self.most is None or self.most >= 1, "must be at least 1")
        distinct = len(set(self.seeds)) == len(self.seeds)
        _check("final.seeds", self.seeds, distinct and min(self.seeds, default=0) >= 0, "must be distinct, from 0 on")


@frozen
@dataclass
class SweepConfig:
    """A whole sweep.

    Attributes:
        study: name of the study; null: the preset's name and a digest of all that decides its results.
        storage: URL of the study's database.
        dir: folder of all studies; one folder per trial below ``dir/STUDY``.
        trials: finished trials in all, infeasible and pruned ones included, failed ones not.
        workers: processes that take trials from here.
        objectives: direction by metric of the run record.
        params: search space by key, in Hydra's override syntax.
        when: further parameters for one value of a choice: ``{"model=cmsisnnet": {KEY: SPACE}}``.
        sampler: what draws points: ``_target_``, a class of Optuna or of another library, and its arguments.
        limits: conditions on hardware metrics, as ``hw/latency_us <= 2000``.
        baseline: whether the configuration as it is without the search space is tried first, and in the second phase
            too, for the others to be compared with.
        reach_baseline: whether the sampler is to look first for trials that are at least as good as the baseline in
            the first objective, and among these for the best in the others.
        launcher: what starts the workers: ``_target_``, a :class:`maxexp.sweep.workers.launchers.Launcher`, and its
            arguments.
        stop_after_failures: like failures in a row that end the sweep.
        attempts: how often a trial may lose its worker before it counts as failed.
        grace_s: seconds without a heartbeat after which a worker on another machine counts as dead.
    """

    study: str | None = None
    storage: str = "sqlite:///mlruns/sweeps.db"
    dir: str = "mlruns/sweeps"
    trials: int = 30
    workers: int = 1
    objectives: dict[str, Direction] = field(default_factory=dict)
    params: dict[str, Annotated[Any, TEXT]] = field(default_factory=dict)
    when: dict[str, dict[str, Annotated[Any, TEXT]]] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    sampler: dict[str, Any] = field(default_factory=dict)
    pruning: PruningConfig | None = None
    final: FinalConfig | None = None
    baseline: bool = False
    reach_baseline: bool = False
    launcher: dict[str, Any] = field(default_factory=dict)
    stop_after_failures: int = 3
    attempts: int = 3
    grace_s: float = 120.0

    def __post_init__(self) -> None:
        for key in ("trials", "workers", "stop_after_failures", "attempts"):
            _check(key, getattr(self, key), getattr(self, key) >= 1, "must be at least 1")
        _check("grace_s", self.grace_s, self.grace_s >= 10, "must be at least 10 seconds")
        _check("objectives", "{}", bool(self.objectives), "name at least one metric and its direction")
        if self.reach_baseline and not self.baseline:
            raise ConfigError("hydra.sweeper.reach_baseline: there is none; set hydra.sweeper.baseline=true, too")

    @property
    def directions(self) -> "list[StudyDirection]":
        """Returns the directions of the objectives, as Optuna names them."""
        from optuna.study import StudyDirection  # takes long, and each command asks which keys hold texts

        return [StudyDirection[direction.name.upper()] for direction in self.objectives.values()]


declare("hydra.sweeper", SweepConfig)


def to_sweep_config(composed: DictConfig | dict[str, Any]) -> SweepConfig:
    """Checks and types the settings of ``hydra.sweeper``.

    Raises:
        ConfigError: a key that does not exist, or a value that is impossible; names the key.
    """
    plain: Any = OmegaConf.to_container(OmegaConf.create(dict(composed)), resolve=True)
    for hydras_own in ("_target_", "_recursive_"):
        plain.pop(hydras_own, None)
    for group, name in DEFAULTS.items():
        plain[group] = plain.get(group) or OmegaConf.load(Path(conf_dir(), group, f"{name}.yaml"))
    # Hydra merges mappings: null takes an objective of the preset away.
    plain["objectives"] = {name: d for name, d in plain.get("objectives", {}).items() if d is not None}
    return _typed(SweepConfig, plain, "hydra.sweeper.")


def _typed(schema: type, values: dict[str, Any], prefix: str) -> Any:
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{prefix}{explain(error, Config)}") from error


def _check(key: str, value: object, valid: bool, allowed: str) -> None:
    check(f"hydra.sweeper.{key}", value, valid, allowed)
