"""The winning trial as an experiment file that reproduces it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from maxexp.config import Config, to_plain
from maxexp.errors import ConfigError
from maxexp.sweep.plan import ELSEWHERE, Plan
from maxexp.sweep.results import Result

OWN = ("resume", "checkpoint")
"""Keys of a single run, beside those of the machine."""


def experiment_yaml(plan: Plan, result: Result, study: str) -> str:
    """Text of ``conf/experiment/NAME.yaml``: the trial's choices, and every key that they alone do not set.

    Raises:
        ConfigError: the trial lacks a key that its choices have; overrides cannot say that in a file.
    """
    overrides = plan.space.overrides(dict(result.params))
    config = plan.compose(*overrides)
    standard = plan.choices([])
    choices = {
        g: option for g, option in plan.choices([*plan.overrides, *overrides]).items() if standard[g] != option
    }
    bare = plan.compose_bare([f"{group}={option}" for group, option in choices.items()])
    differences = _difference(_portable(config), _portable(bare), "")
    head = [
        "# @package _global_",
        f"# Trial {result.number} of the sweep {study}: "
        + ", ".join(f"{k} {v:.6g}" for k, v in result.values.items()),
        "defaults:",
        *(f"  - override /{group}: {option}" for group, option in choices.items()),
        "",
    ]
    body = yaml.safe_dump(differences, sort_keys=False) if differences else ""
    return "\n".join(head) + ("\n" + body if body else "")


def _portable(config: Config) -> dict[str, Any]:
    """What belongs into the file: nothing of the machine, nothing of a single run."""
    plain = to_plain(config)
    for group, keys in ELSEWHERE.items():
        for key in keys or list(plain[group]):
            plain[group].pop(key, None)
    return {key: value for key, value in plain.items() if key not in OWN and value != {}}


def _difference(wanted: Mapping[str, Any], given: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The leaves of ``wanted`` that are other than in ``given``."""
    if missing := [key for key in given if key not in wanted]:
        raise ConfigError(f"{prefix}{missing[0]} was removed in this trial, which an experiment file cannot express")
    difference: dict[str, Any] = {}
    for key, value in wanted.items():
        other = given.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            if inner := _difference(value, other, f"{prefix}{key}."):
                difference[key] = inner
        elif key not in given or value != other:
            difference[key] = value
    return difference
