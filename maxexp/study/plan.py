"""From the entries of a study to single runs, and whether a run that exists is one of them."""

from collections.abc import Container, Mapping
from dataclasses import dataclass

from maxexp.run.composition import compose_config
from maxexp.run.config import keys_at_default, to_plain
from maxexp.run.execution import masked
from maxexp.run.own_images import digests_of_own_images
from maxexp.study.description import Entry, Study
from maxexp.tracking.places import FREE

NAMED = ("model.layers", "quantization.layer_bits")
"""Mappings whose keys are names of layers: one more or less is another network, not another version."""
WEAKEST = {"synthesis.method": "estimate", "board.kind": "none"}
"""What backs the cost of a network unless a study asks for more; more than was asked for is welcome."""


@dataclass(frozen=True)
class Job:
    """One run of a study.

    Attributes:
        entry: name of its entry.
        overrides: its command line, checkpoint and seed included.
        params: what its configuration is recorded as.
        defaults: those of its keys that have their default.
        data: digests of the user's own images; empty for published data sets.
    """

    entry: str
    seed: int
    overrides: tuple[str, ...]
    params: Mapping[str, str]
    defaults: frozenset[str]
    data: Mapping[str, str]

    @property
    def name(self) -> str:
        """Name in progress messages."""
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
    params, defaults = masked(to_plain(config)), frozenset(keys_at_default(config))
    return Job(name, seed, tuple(overrides), params, defaults, digests_of_own_images(config))


def overrides_of(study: Study, name: str, seed: int) -> list[str]:
    """The command line of an entry with one seed, but for the checkpoint that it begins with."""
    return [*study.overrides, *study.entries[name].overrides, f"seed={seed}"]


def checkpoint_of(entry: Entry, run_id: str) -> str:
    """The reference by which an entry finds the network that it starts from."""
    return f"run:{run_id}/{entry.artifact}" if entry.artifact else f"run:{run_id}"


def same_result(wanted: Mapping[str, str], recorded: Mapping[str, str], defaults: Container[str] = ()) -> bool:
    """Whether a run with the params ``recorded`` answers for the params ``wanted``."""
    return difference(wanted, recorded, defaults) is None


def difference(wanted: Mapping[str, str], recorded: Mapping[str, str], defaults: Container[str] = ()) -> str | None:
    """A key for which a run with the params ``recorded`` does not answer for the params ``wanted``; None: it does.

    A key that an older version did not have is no difference where it has its default, which keeps results as they
    were; nor is one that a later version dropped. What does change results raises ``RESULTS_VERSION``.
    A group that is null in one and set in the other has other keys, too, and is a difference.
    """
    free = (*FREE, *(f"{key.split('.')[0]}." for key, weakest in WEAKEST.items() if wanted.get(key) == weakest))
    for mapping in NAMED:
        if names := _names(wanted, mapping) ^ _names(recorded, mapping):
            return f"{mapping}.{min(names)}"
    decisive = [key for key in wanted if not key.startswith(free)]
    return next((key for key in decisive if _differs(key, wanted[key], recorded, defaults)), None)


def same_images(wanted: Mapping[str, str], recorded: Mapping[str, str]) -> bool:
    """Whether no data set is another one in a run that recorded these digests, of which MLflow keeps a beginning."""
    return all(wanted[name].startswith(digest) for name, digest in recorded.items() if name in wanted)


def _differs(key: str, value: str, recorded: Mapping[str, str], defaults: Container[str]) -> bool:
    if key in recorded:
        return recorded[key] != value
    nested = any(other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in recorded)
    return nested or key not in defaults


def _names(params: Mapping[str, str], mapping: str) -> set[str]:
    """First parts of the keys below ``mapping``."""
    return {key.removeprefix(f"{mapping}.").split(".")[0] for key in params if key.startswith(f"{mapping}.")}
