"""In which keys of their configuration runs differ."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from maxexp.schema.config import Stage
from maxexp.schema.roles import changes_result

FOLLOWING = {
    "model.layers.": "model.name",
    "recipe.distillation.model.": "recipe.distillation.model.name",
    "device.": "device.name",
    "dataset.": "dataset.name",
}
"""Keys that follow from the name of their group, unless runs of one name differ in them."""
READ_BY = {
    "recipe.": (Stage.train,),
    "trainer.": (Stage.train,),
    "augmentation.normalize.": (Stage.train, Stage.quantize, Stage.evaluate, Stage.deploy),
    "augmentation.": (Stage.train,),
    "board.": (Stage.deploy,),
}
"""Stages that read a group, the narrower group first; all others are read by every run."""
ABSENT, UNUSED = "not set", "not used"


def differing_keys(configurations: Sequence[Mapping[str, str]]) -> list[str]:
    """Returns the keys whose value is not the same in all configurations, sorted; a missing key is a value of its
    own.

    A group that is null in some of them is told by the keys that it has in the others.
    """
    keys = {key for params in configurations for key in params if changes_result(key)}
    groups = {key[:end] for key in keys for end, character in enumerate(key) if character == "."}
    return sorted(key for key in keys - groups if _differs(key, configurations))


def is_read(key: str, params: Mapping[str, str]) -> bool:
    """Tells whether a run with a configuration looks at a key of it: a recipe is nothing to a run that does not
    train."""
    stages = next((stages for group, stages in READ_BY.items() if key.startswith(group)), ())
    run = params.get("stages")
    return run is None or not stages or any(stage.name in _words(run) for stage in stages)


def setting(key: str, params: Mapping[str, str]) -> str:
    """The value of a key, as a table shows it."""
    return params.get(key, ABSENT) if is_read(key, params) else UNUSED


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _differs(key: str, configurations: Sequence[Mapping[str, str]]) -> bool:
    name = next((name for prefix, name in FOLLOWING.items() if key.startswith(prefix)), key)
    values: dict[str | None, set[str | None]] = defaultdict(set)
    for params in (each for each in configurations if is_read(key, each)):
        values[None if name == key else params.get(name)].add(params.get(key))
    return any(len(found) > 1 for found in values.values())
