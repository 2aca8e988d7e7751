"""Errors that a user can cause and mend: one sentence that names the cause and the fix.

Anything raised as a :class:`MaxexpError` reaches the terminal as one line with a non-zero exit code;
every other exception is a defect of maxexp and keeps its traceback.
"""


class MaxexpError(Exception):
    """Base of all errors that are shown to the user as one line.

    Attributes:
        shown: whether the user has seen the message already.
    """

    shown = False


class ConfigError(MaxexpError):
    """A configuration value that cannot be used; the message names the key and what is allowed."""


def check(key: str, value: object, valid: bool, allowed: str) -> None:
    """Refuses a configuration value that is not valid.

    Args:
        allowed: what to do about it, e.g. "must be at least 1".

    Raises:
        ConfigError: names key and value.
    """
    if not valid:
        raise ConfigError(f"{key}={value}: {allowed}")


class FormatError(MaxexpError):
    """A file that is not of the form it should have; the message does not name it, whoever reads it does."""


class NetworkError(ConfigError):
    """A network description that has no meaning, or uses an operation that is not supported."""


class DeviceError(MaxexpError):
    """A network that the device cannot hold or compute; names the layer, the excess and a remedy."""


class DataError(MaxexpError):
    """A data set that is missing, incomplete or corrupt."""


class CameraError(MaxexpError):
    """A frame, picture, network input or camera that cannot be read or written."""


class CheckpointError(MaxexpError):
    """A checkpoint that cannot be read, or that belongs to another network."""


class SynthesisError(MaxexpError):
    """A synthesizer that cannot be run, refuses a network, or comes to other figures than we do."""


class TrainingError(MaxexpError):
    """A training that cannot go on; names the epoch and a remedy."""


class TrackingError(MaxexpError):
    """A run or tracking store that cannot be used."""


class OutageError(TrackingError):
    """A tracking store that does not answer, or that takes nothing for now: the same may succeed later."""


class UnsentError(TrackingError):
    """A run that ended well, but whose store has not got everything; names what is missing, and where it waits."""


class DiskFullError(MaxexpError):
    """A disk that has no space left; names the path, and what was written to it."""


class StudyError(MaxexpError):
    """A study cannot be run or reported."""


class BoardError(MaxexpError):
    """Firmware that cannot be built, or a board, real or emulated, that cannot run it."""


def in_one_line(error: BaseException) -> str:
    """The text of an exception of another library, without line breaks; its type where it has none."""
    return " ".join(str(error).split()) or type(error).__name__
