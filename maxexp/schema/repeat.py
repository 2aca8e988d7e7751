"""What repeats a run elsewhere: the words that were typed, but for places and the use of a machine."""

from collections.abc import Iterable

from maxexp.base.languages.shell import shell_command
from maxexp.base.roles import Role
from maxexp.schema.roles import role_of
from maxexp.tracking.reading import RESTORED_COMMAND, RecordedRun


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


def _repeated(overrides: Iterable[str]) -> list[str]:
    return [text for text in overrides if repeats(key_of(text))]
