"""The command lines that repeat a run: here, or elsewhere without places and the use of a machine."""

import json
from collections.abc import Iterable

from maxexp.base.languages.override import override_value
from maxexp.base.languages.shell import shell_command
from maxexp.base.roles import Role
from maxexp.schema.roles import role_of
from maxexp.tracking.reading import RESTORED_COMMAND, RecordedRun

CONFIG_DIRS = "config_dirs"
"""Tag of a run: the folders of configurations that the user named, as JSON."""


def key_of(override: str) -> str:
    """The key that an override of the command line sets, adds or removes."""
    return override.lstrip("+~").partition("=")[0]


def repeats(key: str) -> bool:
    """Tells whether a key belongs to what repeats a run on any machine."""
    return role_of(key) not in (Role.place, Role.machine)


def repeat_command(run: RecordedRun) -> str:
    """The command line that repeats a run on any machine.

    Raises:
        TrackingError: what was typed was not recorded, or the store fails.
    """
    if RESTORED_COMMAND in run.tags:
        return run.tags[RESTORED_COMMAND]
    return shell_command(["python", "-m", "maxexp", *_repeated(run.overrides())])


def typed_command(run: RecordedRun) -> str:
    """The command line that repeats a run on this machine: all that was typed, with folders of configurations.

    Raises:
        TrackingError: what was typed was not recorded, or the store fails.
    """
    if RESTORED_COMMAND in run.tags:
        return run.tags[RESTORED_COMMAND]
    folders = json.loads(run.tags.get(CONFIG_DIRS, "[]"))
    # Hydra takes one folder by its option, several by its search path.
    several = [f"hydra.searchpath=[{','.join(override_value(f'file://{path}') for path in folders)}]"]
    words = several if len(folders) > 1 else [f"--config-dir={path}" for path in folders]
    return shell_command(["python", "-m", "maxexp", *words, *run.overrides()])


def _repeated(overrides: Iterable[str]) -> list[str]:
    return [text for text in overrides if repeats(key_of(text))]
