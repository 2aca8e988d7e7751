"""In which keys of their configuration runs differ."""

from collections.abc import Mapping, Sequence

from maxexp.places import FREE

FOLLOWING = {"model.layers.": "model.name", "device.": "device.name", "dataset.": "dataset.name"}
"""Where the name of a group differs, its other keys follow from it, and say no more than the name."""
ABSENT = "not set"


def differing_keys(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    """Keys whose value is not the same in all configurations, sorted; a missing key is a value of its own."""
    keys = sorted({key for params in configurations for key in params if not key.startswith(FREE)})
    differing = [key for key in keys if len({params.get(key) for params in configurations}) > 1]
    named = tuple(prefix for prefix, name in FOLLOWING.items() if name in differing)
    return [key for key in differing if key in FOLLOWING.values() or not key.startswith(named)]
