"""What can be chosen about a sweep: the ``hydra.sweeper`` group of the configuration."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import ConfigError, check
from maxexp.base.frozen import frozen
from maxexp.run.explain import explain
from maxexp.schema.config import Config
from maxexp.tasks.scores.classification import ACCURACY
from maxexp.tracking.metrics import METRICS


class Direction(Enum):
    """Which values of an objective are better."""

    minimize = "minimize"
    maximize = "maximize"


class Engine(Enum):
    """What starts the worker processes."""

    local = "local"
    joblib = "joblib"
    ray = "ray"
    submitit = "submitit"


@frozen
@dataclass
class SamplerConfig:
    """What all samplers have.

    Attributes:
        name: tpe, nsgaii, gp, cmaes, random or grid.
        seed: draws depend on it, on the number of the trial and on the trials known by then.
    """

    name: str = "???"
    seed: int = 1

    def __post_init__(self) -> None:
        _check("sampler.seed", self.seed, self.seed >= 0, "must not be negative")


@frozen
@dataclass
class TpeConfig(SamplerConfig):
    """Tree-structured Parzen estimator.

    Attributes:
        startup_trials: drawn at random before the model is used.
        candidates: points compared for each draw.
    """

    startup_trials: int = 10
    candidates: int = 24

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("sampler.startup_trials", self.startup_trials, self.startup_trials >= 0, "must not be negative")
        _check("sampler.candidates", self.candidates, self.candidates >= 1, "must be at least 1")


@frozen
@dataclass
class NsgaiiConfig(SamplerConfig):
    """NSGA-II, a genetic algorithm for several objectives.

    Attributes:
        population_size: trials of one generation.
        mutation_probability: of each parameter; null: one over their number.
        crossover_probability: of a child having two parents.
        swapping_probability: of each parameter coming from the second parent.
    """

    population_size: int = 20
    mutation_probability: float | None = None
    crossover_probability: float = 0.9
    swapping_probability: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("sampler.population_size", self.population_size, self.population_size >= 2, "must be at least 2")
        for key in ("mutation_probability", "crossover_probability", "swapping_probability"):
            value = getattr(self, key)
            _check(f"sampler.{key}", value, value is None or 0 <= value <= 1, "must be from 0 to 1")


@frozen
@dataclass
class GpConfig(SamplerConfig):
    """Gaussian process.

    Attributes:
        startup_trials: drawn at random before the model is used.
        deterministic: whether equal parameters always give equal results.
    """

    startup_trials: int = 10
    deterministic: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("sampler.startup_trials", self.startup_trials, self.startup_trials >= 1, "must be at least 1")


@frozen
@dataclass
class CmaesConfig(SamplerConfig):
    """CMA-ES, for one objective over numbers.

    Attributes:
        startup_trials: drawn at random first.
        sigma: first step size, in the units of the scaled parameters; null: a sixth of their range.
        population_size: of one generation; null: 4 + 3 ln(parameters).
    """

    startup_trials: int = 1
    sigma: float | None = None
    population_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _check("sampler.startup_trials", self.startup_trials, self.startup_trials >= 1, "must be at least 1")
        _check("sampler.sigma", self.sigma, self.sigma is None or self.sigma > 0, "must be above 0")
        size = self.population_size
        _check("sampler.population_size", size, size is None or size >= 2, "must be at least 2")


@frozen
@dataclass
class RandomConfig(SamplerConfig):
    """Independent uniform draws."""


@frozen
@dataclass
class GridConfig(SamplerConfig):
    """Every point of a finite space, once."""


SAMPLERS: dict[str, type[SamplerConfig]] = {
    "tpe": TpeConfig,
    "nsgaii": NsgaiiConfig,
    "gp": GpConfig,
    "cmaes": CmaesConfig,
    "random": RandomConfig,
    "grid": GridConfig,
}


JUDGED = tuple(metric.key for metric in METRICS.values() if metric.per_epoch and metric.better)
"""Metrics by which trainings can be compared after each epoch."""


@frozen
@dataclass
class PruningConfig:
    """When a training is given up early.

    A trial is compared, epoch by epoch, with those that cost no more than it in any objective known before
    training; so a small network is never given up for being less accurate than a large one.

    Attributes:
        metric: of each epoch, with values that are better than others, one of ``JUDGED``.
        warmup_epochs: epochs that every trial may train.
        rivals: how many trials there must be to compare with.
        percentile: a trial is given up if its best epoch so far is worse than this percentile of its rivals'.
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
class LauncherConfig:
    """What starts the workers.

    Attributes:
        name: local, joblib, ray or submitit.
        options: handed to the engine: ray.init, joblib.parallel_config or submitit's update_parameters.
    """

    name: Engine = Engine.local
    options: dict[str, Any] = field(default_factory=dict)


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
        limits: conditions on hardware metrics, as ``hw/latency_us <= 2000``.
        baseline: whether the configuration as it is without the search space is tried first, and in the second phase
            too, for the others to be compared with.
        reach_baseline: whether the sampler is to look first for trials that are at least as good as the baseline in
            the first objective, and among these for the best in the others.
        stop_after_failures: like failures in a row that end the sweep.
        attempts: how often a trial may lose its worker before it counts as failed.
        grace_s: seconds without a sign of life after which a worker on another machine counts as dead.
    """

    study: str | None = None
    storage: str = "sqlite:///mlruns/sweeps.db"
    dir: str = "mlruns/sweeps"
    trials: int = 30
    workers: int = 1
    objectives: dict[str, Direction] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)
    when: dict[str, dict[str, Any]] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)
    sampler: SamplerConfig = field(default_factory=SamplerConfig)
    pruning: PruningConfig | None = None
    final: FinalConfig | None = None
    baseline: bool = False
    reach_baseline: bool = False
    launcher: LauncherConfig = field(default_factory=LauncherConfig)
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
        if isinstance(self.sampler, CmaesConfig) and len(self.objectives) > 1:
            raise ConfigError("sampler=cmaes handles one objective; choose tpe, nsgaii, gp, random or grid")


def to_sweep_config(composed: DictConfig | dict[str, Any]) -> SweepConfig:
    """Check and type the settings of ``hydra.sweeper``.

    Raises:
        ConfigError: a key that does not exist, or a value that is impossible; names the key.
    """
    plain: Any = OmegaConf.to_container(OmegaConf.create(dict(composed)), resolve=True)
    plain.pop("_target_", None)
    chosen = plain.pop("sampler", {"name": "tpe"})
    if chosen.get("name") not in SAMPLERS:
        raise ConfigError(f"sampler={chosen.get('name')}: must be one of {', '.join(SAMPLERS)}")
    # Hydra merges mappings: null takes an objective of the preset away.
    plain["objectives"] = {name: d for name, d in plain.get("objectives", {}).items() if d is not None}
    sampler = _typed(SAMPLERS[chosen["name"]], chosen, "sampler.")
    return _typed(SweepConfig, {**plain, "sampler": sampler}, "hydra.sweeper.")


def _typed(schema: type, values: dict[str, Any], prefix: str) -> Any:
    try:
        return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), values))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{prefix}{explain(error, Config)}") from error


def _check(key: str, value: object, valid: bool, allowed: str) -> None:
    check(key if key.startswith("sampler.") else f"hydra.sweeper.{key}", value, valid, allowed)
