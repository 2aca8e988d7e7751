"""Errors of Hydra, OmegaConf and YAML in one line each.

They are recognized by their texts, which belong to the versions that pyproject.toml allows.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from pathlib import PurePath
from typing import Any, get_type_hints

from hydra.errors import MissingConfigException, OverrideParseException
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException
from yaml import MarkedYAMLError, YAMLError

from maxexp.base.languages.override import override_value
from maxexp.base.languages.shell import shell_command
from maxexp.base.text_keys import is_text, kind_of

SWEEPER_GROUPS = ("sampler", "launcher")
"""Groups that only a sweep of ours has."""
NULL_GROUP = "Unexpected type for root: NoneType"
"""How OmegaConf says, by an AssertionError, that an override goes into a group that is null."""
LIST_KEY = "invalid literal for int() with base 10: "
"""How it says, by a ValueError, that an override names a key of a list."""


def no_such_key(key: str, allowed: list[str]) -> str:
    """Returns the message for a key that is not among those allowed."""
    return f"{key}: no such key; allowed are {', '.join(allowed)}"


def _no_such_hydra_key(key: str, group: Iterable[Any]) -> str:
    """The same within ``hydra``, whose keys are those that are there: ours, as its sweeper, or Hydra's own."""
    there = ", ".join(str(name) for name in group if not str(name).startswith("_")) or "none"
    # A mapping below the keys of a group, as hydra.sweeper.final, may have been given in part.
    add = f"; to add one write +{key}=VALUE" if key.count(".") > 2 else ""
    return f"{key}: no such key; there are {there}{add}"


def explain(error: Exception, schema: type) -> str:
    """Returns one line for an error of Hydra, OmegaConf or YAML: the key or file, what is wrong, what is allowed.

    Args:
        schema: the dataclass of the whole configuration.
    """
    if isinstance(error, YAMLError):
        return _explain_yaml(error)
    if NULL_GROUP in str(error):
        return (
            "a key is set in a group that is not there: board.connection needs a real board (board=max78000fthr), "
            "recipe.distillation a teacher (recipe=distill)"
        )
    if LIST_KEY in str(error) and not isinstance(error, OverrideParseException):
        name = str(error).partition(LIST_KEY)[2]
        return f"{name}: a list has no such key; set the whole list, as stages=[train,evaluate]"
    cause: BaseException = error
    while not isinstance(cause, OmegaConfBaseException) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, MissingMandatoryValue) or "MissingMandatoryValue" in str(cause):
        named = isinstance(cause, MissingMandatoryValue) and cause.full_key
        missing = named or str(cause).splitlines()[0].rpartition(": ")[2]
        return f"{missing}: a value is needed; give it as {missing}=..."
    if not isinstance(cause, OmegaConfBaseException):
        return _explain_hydra(error)
    text = (cause.msg or str(cause)).splitlines()[0]
    key = cause.full_key or ""
    if "is not a ListConfig" in text:
        return f"{key}: a list is needed; write {key}=[VALUE,VALUE]"
    if text.endswith("is not in struct"):
        group = key.split(".")[0]
        if group == "hydra":
            return _no_such_hydra_key(key, cause.parent_node or ())
        typed = get_type_hints(schema).get(group, schema)
        if not is_dataclass(typed):
            return f"{key}: no such key; {group} is a single value, write {group}=VALUE"
        return no_such_key(key, [f.name for f in fields(typed)])
    if is_dataclass(cause.object_type) and "not in" in text:
        return no_such_key(key, [f.name for f in fields(cause.object_type)])
    return f"{key}: {text}" if key and key not in text else text


def _explain_hydra(error: Exception) -> str:
    text = " ".join(str(error).split("Config search path")[0].split())
    if isinstance(error, MissingConfigException) and error.options:
        return _no_such_option(error.missing_cfg_file or "", error.options)
    if unused := re.search(r"^In '(sampler|launcher)/(\S+)': .*BasicSweeperConf", text):
        return _needs_sweep(*unused.groups())
    if isinstance(error, OverrideParseException):
        return _no_override(error.override)
    if added := re.search(r"default list use (\+\S+)", text):
        group, _, option = added[1][1:].partition("=")
        if group in SWEEPER_GROUPS:
            return _needs_sweep(group, option)
        return f"{added[1][1:]}: write {added[1]}, for it adds to the configuration"
    if twice := re.search(r"Multiple values for .*'override (\S+): (\S+)'", text):
        group, option = twice.groups()
        return (
            f"{group} is chosen twice: on the command line write {group}={option} without +, in the defaults of a "
            f"file 'override /{group}: {option}'"
        )
    return text


def _no_override(override: str) -> str:
    """The message for what cannot be read as an override; a text may only lack its quotes."""
    key, _, value = override.partition("=")
    if value and is_text(kind_of(key.lstrip("+"))):
        return f"{override}: the text needs quotes; write: {shell_command([f'{key}={override_value(value)}'])}"
    return (
        f"{override}: not of the form KEY=VALUE; presets are +experiment=NAME and +sweep=NAME, values with "
        "other characters than letters, digits and ._-/ may need quotes"
    )


def _no_such_option(path: str, options: Sequence[str]) -> str:
    """The message for a choice that there is not, such as the path of a file."""
    group, _, name = path.rpartition("/")
    whole, _, given = path.partition("/")
    file = PurePath(given)
    if file.suffix in (".yaml", ".yml") or given.startswith(("./", "../", "/")):
        typed = shell_command([f"{whole}={given}"])
        remedy = shell_command(["--config-dir", "FOLDER", f"{whole}={file.stem}"])
        return (
            f"{typed}: no such file; give the path of one, as {whole}=./{file.stem}.yaml, or put it into a folder "
            f"{whole}/ as FOLDER/{whole}/{file.stem}.yaml and write {remedy}; there are {', '.join(options)}"
        )
    return f"{group}={name}: no such choice; there are {', '.join(options)}"


def _needs_sweep(group: str, option: str) -> str:
    """The message for a choice that only a sweep of ours has."""
    return (
        f"{group}={option}: belongs to a search with Optuna; write -m +sweep=smoke {group}={option}, or with another "
        f"preset, or without one -m hydra/sweeper=maxexp +{group}={option}"
    )


def _explain_yaml(error: YAMLError) -> str:
    if isinstance(error, MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"{mark.name}, line {mark.line + 1}, column {mark.column + 1}: {error.problem}; mend the file"
    return f"a YAML file cannot be read: {' '.join(str(error).split())}"
