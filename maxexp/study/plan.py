"""The single runs behind the entries of a study."""

from dataclasses import dataclass

from maxexp.run.composition import compose_config
from maxexp.run.own_images import digests_of_own_images
from maxexp.schema.identity import Identity
from maxexp.study.description import Entry, Study


@dataclass(frozen=True)
class Job:
    """One run of a study.

    Attributes:
        entry: name of its entry.
        overrides: its command line, checkpoint and seed included.
        identity: by which runs of it are known.
    """

    entry: str
    seed: int
    overrides: tuple[str, ...]
    identity: Identity

    @property
    def name(self) -> str:
        """Returns the name in progress messages."""
        return f"{self.entry} seed {self.seed}"


def make_job(study: Study, name: str, seed: int, starting_run: str | None) -> Job:
    """The run of an entry with one seed.

    Args:
        starting_run: id of the run whose network it begins with, where the entry ``starts_from`` another.

    Raises:
        ConfigError: an override is wrong.
        DataError: the user's own images are missing or corrupt.
    """
    overrides = overrides_of(study, name, seed)
    if starting_run is not None:
        overrides.append(f"checkpoint={checkpoint_of(study.entries[name], starting_run)}")
    config = compose_config(overrides)
    return Job(name, seed, tuple(overrides), Identity.of(config, digests_of_own_images(config)))


def overrides_of(study: Study, name: str, seed: int) -> list[str]:
    """The command line of an entry with one seed, but for the checkpoint that it begins with."""
    return [*study.overrides, *study.entries[name].overrides, f"seed={seed}"]


def checkpoint_of(entry: Entry, run_id: str) -> str:
    """The reference by which an entry finds the network that it starts from."""
    return f"run:{run_id}/{entry.artifact}" if entry.artifact else f"run:{run_id}"
