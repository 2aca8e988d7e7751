"""The jobs of one command: a single one, or under ``-m`` several, of which some may fail."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from maxexp.base.errors import MaxexpError
from maxexp.base.exit_codes import show_error


class JobsError(MaxexpError):
    """Some of several jobs failed; names them, and why."""


class Jobs:
    """Counts jobs, and keeps the errors of those that failed.

    Args:
        program: what the user called.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._overrides: list[Sequence[str]] = []
        self._errors: dict[int, MaxexpError] = {}

    @contextmanager
    def job(self, overrides: Sequence[str]) -> Iterator[None]:
        """Runs the next job as its body; shows an error of the user, and goes on."""
        self._overrides.append(overrides)
        try:
            yield
        except MaxexpError as error:
            # Kept from Hydra, which would add lines of its own; and the other jobs are to run.
            show_error(self._program, error)
            self._errors[len(self._overrides) - 1] = error

    def check(self) -> None:
        """Reports the failures; is called after the last job.

        Raises:
            MaxexpError: of the only job, which the user has seen; of several, all that failed in one line.
        """
        if not self._errors:
            return
        if len(self._overrides) == 1:
            raise self._errors[0]
        failed = "; ".join(f"{self._name(number)}: {error}" for number, error in self._errors.items())
        raise JobsError(f"{len(self._errors)} of {len(self._overrides)} failed: {failed}")

    def _name(self, number: int) -> str:
        """Returns Hydra's number of a job, and what not all jobs have."""
        own = [o for o in self._overrides[number] if not all(o in others for others in self._overrides)]
        return " ".join([f"#{number}", *own])
