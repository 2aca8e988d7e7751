"""In which keys of their configuration runs differ."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from maxexp.schema.roles import changes_result

FOLLOWING = {
    "model.layers.": "model.name",
    "recipe.distillation.model.": "recipe.distillation.model.name",
    "device.": "device.name",
    "dataset.": "dataset.name",
}
"""Keys that follow from the name of their group, unless runs of one name differ in them."""
ABSENT = "not set"


def differing_keys(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    """Keys whose value is not the same in all configurations, sorted; a missing key is a value of its own.

    A group that is null in some of them is told by the keys that it has in the others.
    """
    keys = {key for params in configurations for key in params if changes_result(key)}
    groups = {key[:end] for key in keys for end, character in enumerate(key) if character == "."}
    return sorted(key for key in keys - groups if _differs(key, configurations))


def _differs(key: str, configurations: Sequence[Mapping[str, str]]) -> bool:
    name = next((name for prefix, name in FOLLOWING.items() if key.startswith(prefix)), key)
    values: dict[str | None, set[str | None]] = defaultdict(set)
    for params in configurations:
        values[None if name == key else params.get(name)].add(params.get(key))
    return any(len(found) > 1 for found in values.values())
