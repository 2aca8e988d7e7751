"""The identity of an experiment: the one place that decides whether two runs are the same.

It is the same experiment where the keys that change a result agree, the user's own images, and the version of results
(``maxexp.RESULTS_VERSION``) of the code. What a key is to the result stands where it is declared
(:mod:`maxexp.base.roles`); who asks, and what follows:

============================  ========  ========  ========  ========  ======
question                      result    evidence  rounding  machine   place
============================  ========  ========  ========  ========  ======
named in a run's name         yes       yes       no        no        no
listed as a difference        yes       yes       no        no        no
may change in a resumed run   no        no        yes       yes       yes
part of a sweep's digest      yes       yes       no        no        no
must agree to answer a study  yes       if asked  no        no        no
in the command that repeats   yes       yes       yes       no        no
in an exported trial          yes       yes       yes       no        no
============================  ========  ========  ========  ========  ======

The number of CPU threads orders floating-point sums, so that trained weights differ in their last bits as they do
between processors: the same experiment, but whoever repeats it exactly needs the number. Precision and accelerator
count as results, for a training in bfloat16 is another one. A checkpoint counts by its reference, not its content.
A new version of results is another experiment for everybody: a study repeats its runs, a sweep begins anew, an
interrupted run is not resumed, a comparison says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, get_origin

from maxexp import RESULTS_VERSION
from maxexp.base.roles import Role
from maxexp.schema.config import Config, keys_at_default, to_plain
from maxexp.schema.roles import changes_result, declared_keys
from maxexp.tracking.flatten import masked
from maxexp.tracking.provenance import RESULTS_TAG

ABSENT = "null"
"""What a key has that is not there: a group that is null has no keys."""
_DATA, _RESULTS = "data of ", "version of results"


@dataclass(frozen=True)
class Identity:
    """What makes a run the experiment that it is.

    Attributes:
        params: the keys that change a result, flat, as a run records them.
        data: SHA-256, or its beginning, of each part of the user's own images, as far as they are known; parts of
            published data sets are the same everywhere and need not be here.
        results: version of results.
        at_default: keys that have their default: a run of before the key was there answers too.
    """

    params: Mapping[str, str]
    data: Mapping[str, str] = field(default_factory=dict)
    results: str = str(RESULTS_VERSION)
    at_default: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: Config, data: Mapping[str, str] | None = None) -> Identity:
        """Returns the identity of a run that this code would make.

        Args:
            data: digests of the user's own images, by the names that the record has for them.
        """
        return cls._decisive(masked(to_plain(config)), data or {}, str(RESULTS_VERSION), keys_at_default(config))

    @classmethod
    def recorded(cls, params: Mapping[str, str], data: Mapping[str, str], tags: Mapping[str, str]) -> Identity:
        """Returns the identity of a recorded run, from what its record keeps."""
        return cls._decisive(params, data, tags.get(RESULTS_TAG, ABSENT), ())

    @classmethod
    def _decisive(
        cls, params: Mapping[str, str], data: Mapping[str, str], results: str, at_default: Iterable[str]
    ) -> Identity:
        decisive = {key: value for key, value in params.items() if changes_result(key)}
        return cls(decisive, data, results, frozenset(at_default))

    def plain(self) -> dict[str, str]:
        """All of it, flat: equal for equal experiments, to be hashed."""
        data = {f"{_DATA}{name}": digest for name, digest in self.data.items()}
        return {**self.params, **data, _RESULTS: self.results}

    def differing(self, other: Identity) -> list[str]:
        """Returns the keys whose values are not the same, sorted, whichever of the two has them."""
        keys = self.params.keys() | other.params.keys()
        return sorted(key for key in keys if self.params.get(key, ABSENT) != other.params.get(key, ABSENT))

    def first_mismatch(self, recorded: Identity) -> str | None:
        """The first thing that this experiment asks for and a recorded run has otherwise; None: that run answers it.

        More evidence for the figures of the chip than was asked for is welcome. A key that an older version did not
        have is no difference where it has its default, which keeps results as they were; nor is one that a later
        version dropped. What does change results raises ``RESULTS_VERSION``. A group that is null in one and set in
        the other has other keys, too, and is a difference; so is an entry more or less of a mapping whose keys are
        names, as layers, and an argument more or less of a class that the configuration names.
        """
        for mapping in named_mappings():
            if names := _names(self.params, mapping) ^ _names(recorded.params, mapping):
                return f"{mapping}.{min(names)}"
        nothing = [key for key, default in _evidence().items() if self.params.get(key) == default]
        unasked = tuple(f"{key.rpartition('.')[0]}." for key in nothing)
        for mapping in unchecked():
            if keys := _below(self.params, mapping) ^ _below(recorded.params, mapping):
                return min(keys)
        for key in self.params:
            if not key.startswith(unasked) and self._differs(key, recorded.params):
                return key
        if not self.same_data(recorded):
            return "dataset"
        return None if self.results == recorded.results else _RESULTS

    def same_data(self, recorded: Identity) -> bool:
        """Tells whether no part of the data is another one than the record has, which keeps a beginning of each
        digest."""
        return all(self.data[name].startswith(known) for name, known in recorded.data.items() if name in self.data)

    def _differs(self, key: str, recorded: Mapping[str, str]) -> bool:
        if key in recorded:
            return recorded[key] != self.params[key]
        nested = any(other.startswith(f"{key}.") or key.startswith(f"{other}.") for other in recorded)
        return nested or key not in self.at_default


@cache
def named_mappings() -> tuple[str, ...]:
    """Returns the keys whose values are mappings from names, as layers and bits by layer."""
    return tuple(key for key, each in declared_keys().items() if get_origin(each.kind) is dict)


@cache
def unchecked() -> tuple[str, ...]:
    """Returns the keys whose values the schema does not know, as the arguments of a class that a configuration
    names."""
    return tuple(key for key, each in declared_keys().items() if each.kind in (Any, dict[str, Any]))


@cache
def _evidence() -> dict[str, str]:
    """The keys that choose evidence, with the value by which nothing is asked for."""
    return masked({key: each.default for key, each in declared_keys().items() if each.role is Role.evidence})


def _below(params: Mapping[str, str], mapping: str) -> set[str]:
    """Returns the keys below ``mapping``."""
    return {key for key in params if key.startswith(f"{mapping}.")}


def _names(params: Mapping[str, str], mapping: str) -> set[str]:
    """Returns the first parts of the keys below ``mapping``."""
    return {key.removeprefix(f"{mapping}.").split(".")[0] for key in params if key.startswith(f"{mapping}.")}
