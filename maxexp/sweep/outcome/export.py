"""The winning trial as an experiment file that reproduces it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from maxexp.base.errors import ConfigError
from maxexp.base.languages.override import literals, override_value
from maxexp.base.languages.printable import printable
from maxexp.base.languages.yaml_text import omegaconf_yaml
from maxexp.run.checkpoints import RUN, ZOO
from maxexp.run.composition import compose_config
from maxexp.schema.config import to_plain
from maxexp.schema.repeat import repeats
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers.results import Result

CHECKPOINTS = ("checkpoint", "recipe.distillation.checkpoint")
"""Keys of trained networks, without which the trial cannot be repeated."""


def experiment_yaml(plan: Plan, result: Result, study: str, threads: int | None) -> str:
    """Returns the text of ``conf/experiment/NAME.yaml``: the trial's choices, and every key that they alone do not
    set.

    Args:
        threads: CPU threads of the trial, which its worker may have chosen; None: as its configuration says.

    Raises:
        ConfigError: the trial lacks a key that its choices have; overrides cannot say that in a file.
    """
    overrides = plan.space.overrides(dict(result.params))
    config = plan.compose(*overrides)
    config = replace(config, trainer=replace(config.trainer, threads=threads or config.trainer.threads))
    standard = plan.choices([])
    chosen = plan.choices([*plan.overrides, *overrides])
    choices = {group: option for group, option in chosen.items() if standard.get(group) != option}
    bare = compose_config([f"{group}={override_value(option)}" for group, option in choices.items()], plan.searchpath)
    differences = _difference(to_plain(config), to_plain(bare), "")
    head = [
        "# @package _global_",
        f"# Trial {result.number} of the sweep {printable(study)}: "
        + ", ".join(f"{k} {v:.6g}" for k, v in result.values.items()),
        *(["defaults:"] if choices else []),
        *(f"  - override /{group}: {_yaml_text(option)}" for group, option in choices.items()),
        "",
    ]
    # OmegaConf's own YAML, as it is read: it takes more texts for numbers than YAML does.
    body = omegaconf_yaml(literals(differences)) if differences else ""
    return "\n".join(head) + ("\n" + body if body else "")


def _yaml_text(option: str) -> str:
    """A name in a list of defaults, in quotes where YAML would take it for something else."""
    plain = re.fullmatch(r"[A-Za-z]\w*", option, re.ASCII) and yaml.safe_load(option) == option
    return option if plain else json.dumps(option)


def _difference(wanted: Mapping[str, Any], given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The leaves of ``wanted`` that belong into the file and are other than in ``given``."""
    if missing := [key for key in given if key not in wanted]:
        raise ConfigError(f"{prefix}{missing[0]} was removed in this trial, which an experiment file cannot express")
    difference: dict[str, Any] = {}
    for key, value in wanted.items():
        name, other = f"{prefix}{key}", given.get(key)
        if not repeats(name):
            continue
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := _difference(value, other, f"{name}."):
                difference[key] = inner
        elif key not in given or value != other:
            difference[key] = _from_anywhere(value) if name in CHECKPOINTS and value else value
    return difference


def _from_anywhere(checkpoint: str | list[str]) -> str | list[str]:
    """A reference to a checkpoint, or several, as it holds in other folders, too."""
    if isinstance(checkpoint, list):
        return [str(_from_anywhere(each)) for each in checkpoint]
    return checkpoint if checkpoint.startswith((ZOO, RUN)) else str(Path(checkpoint).absolute())
