"""The way from Hydra's command line to a checked plan: nothing runs before everything is known to be right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from hydra.core.config_loader import ConfigLoader
from omegaconf import DictConfig

from maxexp.base.errors import ConfigError
from maxexp.base.secrets import keep
from maxexp.quantization.config import Method
from maxexp.run.addresses import with_kept_secrets
from maxexp.run.explain import SWEEPER_GROUPS
from maxexp.run.stages.plan import refusals
from maxexp.schema.config import Config, Stage
from maxexp.sweep.coordinator import Coordinator
from maxexp.sweep.search.config import SweepConfig, to_sweep_config
from maxexp.sweep.search.limits import NOT_ON_CHIP, judge, parse_limits
from maxexp.sweep.search.objectives import check_objectives, warn_of_test_split
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.search.sampling import KEY, check_sampler, traits
from maxexp.sweep.search.space import Space, Value, parse_space
from maxexp.sweep.workers.launchers import launcher_class
from maxexp.sweep.workers.study import is_final
from maxexp.tasks.metrics import refusal

LARGEST_GRID = 10_000
"""Points that are tried one by one at most: each is a training."""

HYDRAS_OWN = "basic"
"""Hydra's launcher where none is chosen."""

UNNAMED = "sweep"
"""Begin of a study's name where no preset gives one."""


def run_sweep(
    settings: Mapping[str, Any], arguments: Sequence[str], composed: DictConfig, config_loader: ConfigLoader
) -> None:
    """Plans a sweep and runs it.

    Args:
        settings: of ``hydra.sweeper``.
        arguments: the other overrides of the command line, search space included.
        composed: Hydra's whole configuration.

    Raises:
        MaxexpError: the sweep is wrong, or ended before all its trials were there.
    """
    given = composed.hydra.overrides
    command = [*given.task, *(o for o in given.hydra if not o.startswith("hydra.mode="))]
    sources = composed.hydra.runtime.config_sources
    searchpath = [s.path for s in sources if s.provider not in ("hydra", "main", "schema")]
    if (launcher := composed.hydra.runtime.choices.get("hydra/launcher")) not in (None, HYDRAS_OWN):
        raise ConfigError(
            f"hydra/launcher={launcher}: starts runs, and this sweeper has workers, which take trials by themselves; "
            "choose what starts those with launcher=local, joblib, ray or submitit"
        )
    plan = make_plan(settings, arguments, command, searchpath, config_loader)
    preset = composed.hydra.runtime.choices.get("sweep") or UNNAMED
    name = plan.settings.study or f"{preset}-{plan.digest()}"
    if is_final(name):
        raise ConfigError(
            f"hydra.sweeper.study={name}: names that end in .final are those of second phases; choose another"
        )
    Coordinator(plan, name).run()


def make_plan(
    settings: Mapping[str, Any],
    arguments: Sequence[str],
    command: Sequence[str] = (),
    searchpath: Sequence[str] = (),
    config_loader: ConfigLoader | None = None,
) -> Plan:
    """A plan whose settings, space, limits and objectives have been checked.

    Args:
        settings: of ``hydra.sweeper``.
        arguments: the other overrides, search space included.
        command: all that was typed, for the record.
        searchpath: further configuration folders.
        config_loader: Hydra's, for ``glob(...)``.

    Raises:
        ConfigError: something of it cannot be; the message names the key.
    """
    typed = to_sweep_config(dict(settings))
    typed = replace(typed, storage=keep(typed.storage))
    space = parse_space(typed.params, typed.when, arguments, config_loader)
    common = tuple(o for o in space.fixed if o.lstrip("+").partition("=")[0] not in SWEEPER_GROUPS)
    launcher_class(typed.launcher)
    _check_space(space, typed)
    _check_final(space, typed)
    common, command = (tuple(with_kept_secrets(overrides)) for overrides in (common, command))
    plan = Plan(typed, replace(space, fixed=()), common, tuple(searchpath), command)
    plan = replace(plan, overrides=(*_less_firmware(plan), *common))
    if typed.baseline:
        plan = replace(plan, baseline=_checked_baseline(plan))
    _check_samples(plan)
    return plan


def _less_firmware(plan: Plan) -> tuple[str, ...]:
    """Returns the overrides by which trials write firmware only where a board runs it or it is asked for."""
    final = plan.settings.final.overrides if plan.settings.final else []
    given = {override.lstrip("+").partition("=")[0] for override in (*plan.overrides, *final)}
    searched = {parameter.key.lstrip("+") for parameter in plan.space.parameters}
    asked = {"synthesis", "synthesis.method", "synthesis.referee"} & (given | searched)
    board_varies = "board" in searched or any(override.startswith("board=") for override in final)
    choices = plan.choices(plan.overrides)
    if asked or board_varies or choices.get("synthesis") != "native":
        return ()
    return ("synthesis=estimate",) if choices.get("board") == "none" else ("synthesis.referee=never",)


def _check_space(space: Space, settings: SweepConfig) -> None:
    if not space.parameters:
        raise ConfigError(
            "the sweep has nothing to search: give spaces on the command line, as model.width=interval(0.5,1), or "
            "under hydra.sweeper.params"
        )
    chosen = traits(settings.sampler)
    if chosen.finite_only:
        _check_finite(space)
    if chosen.draws:
        check_sampler(settings.sampler, space, settings.directions)


def _check_finite(space: Space) -> None:
    if space.size == inf:
        endless = [p.key for p in space.parameters if not p.finite]
        raise ConfigError(f"{KEY}: {', '.join(endless)} has no finite number of values; give a choice or range")
    if space.size > LARGEST_GRID:
        raise ConfigError(
            f"{KEY}: the search space has {space.size:,} points, more than {LARGEST_GRID:,}, and a grid tries all; "
            "search less, or choose sampler=random with hydra.sweeper.trials=N"
        )


def _check_final(space: Space, settings: SweepConfig) -> None:
    """The second phase has the values that were found, and its seeds in the place of every other."""
    if not settings.final:
        return
    searched = [parameter.key.lstrip("+") for parameter in space.parameters]
    given = [override.partition("=")[0].lstrip("+~") for override in settings.final.overrides]
    if settings.final.seeds and "seed" in (*searched, *given):
        raise ConfigError(
            "hydra.sweeper.final.seeds: the search space or final.overrides has a seed, too; give it in one place"
        )
    for key in given:
        if key in searched:
            raise ConfigError(
                f"hydra.sweeper.final.overrides: {key} is searched, and the second phase has the values that were "
                "found; leave it out"
            )


def _checked_baseline(plan: Plan) -> dict[str, Value]:
    baseline = plan.unsearched()
    verdict = judge(plan.compose(*plan.space.overrides(baseline)), parse_limits(plan.settings.limits))
    if verdict.reason:
        raise ConfigError(
            f"hydra.sweeper.baseline: {verdict.reason}; widen hydra.sweeper.limits, or set "
            "hydra.sweeper.baseline=false"
        )
    return baseline


def _check_samples(plan: Plan) -> None:
    """Composes a few points that together have each choice, under the conditions of both phases."""
    limits = parse_limits(plan.settings.limits)
    plans = [plan, plan.final()] if plan.settings.final else [plan]
    for each in plans:
        configs = [each.compose(*plan.space.overrides(point)) for point in plan.space.samples()]
        for config in configs:
            spec = judge(config, limits).spec
            # What a checkpoint holds is found out by the trials.
            found = refusals(spec) if spec and not config.checkpoint else []
            if found:
                raise ConfigError(found[0])
            check_objectives(plan.settings.objectives, config, spec)
        _check_first(each, configs[0])
        if limits and all(config.quantization.method is Method.float for config in configs):
            raise ConfigError(f"hydra.sweeper.limits: {NOT_ON_CHIP}; take the limits away, or choose ptq or qat")


def _check_first(plan: Plan, config: Config) -> None:
    """Returns what is the same for each trial."""
    warn_of_test_split(plan.settings.objectives)
    if plan.settings.pruning and Stage.train not in config.stages:
        raise ConfigError(
            "hydra.sweeper.pruning: there is no training to give up; set it to null or add train to stages"
        )
    if plan.settings.pruning and (foreign := refusal(plan.settings.pruning.metric, config.task.name.name)):
        raise ConfigError(f"hydra.sweeper.pruning.metric={plan.settings.pruning.metric}: {foreign}")
    if config.resume:
        raise ConfigError("resume= is for one run; a sweep goes on by itself when its command is given again")
