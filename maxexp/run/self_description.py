"""What a checkpoint says of itself: the network's description, its data set, and how pixels become numbers.

It is one text among the checkpoint's extras, which hold texts and numbers only: such a file needs no ``model=``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maxexp.base.errors import FormatError, MaxexpError
from maxexp.base.json_file import parse_json
from maxexp.data.augmentation.config import NormalizeConfig
from maxexp.data.class_names import published_names
from maxexp.data.config import DatasetConfig
from maxexp.data.store.arrays import InputRange, TargetUnit
from maxexp.network.config import NetworkConfig
from maxexp.schema.config import Config, to_plain
from maxexp.schema.roles import changes_result
from maxexp.tasks.config import TaskConfig

KEY = "maxexp_description"
"""Of the text among a checkpoint's extras."""
_NO_UNIT = TargetUnit()
_NO_RANGE = InputRange()
_GROUPS = {"model": NetworkConfig, "task": TaskConfig, "dataset": DatasetConfig}


@dataclass(frozen=True)
class SelfDescription:
    """What is needed to run a trained network, beside its weights.

    Attributes:
        normalize: how pixels become signed numbers; None: they are not centred.
        classes: names in the order of the outputs; none where they are not known.
        unit: of real targets.
        input_range: the numbers of each channel that the pixels 0 and 255 stand for; firmware scales by it.
    """

    model: NetworkConfig
    task: TaskConfig
    dataset: DatasetConfig
    normalize: NormalizeConfig | None
    classes: tuple[str, ...] = ()
    unit: TargetUnit = _NO_UNIT
    input_range: InputRange = _NO_RANGE

    @classmethod
    def of(
        cls,
        config: Config,
        classes: Sequence[str] = (),
        unit: TargetUnit = _NO_UNIT,
        input_range: InputRange = _NO_RANGE,
    ) -> SelfDescription:
        """Returns the description of the network that a run makes."""
        names = tuple(classes) or published_names(config.dataset)
        return cls(config.model, config.task, config.dataset, config.augmentation.normalize, names, unit, input_range)

    def extras(self) -> dict[str, str]:
        """The entry for a checkpoint's extras; places of this machine are left out."""
        plain = {name: to_plain(getattr(self, name)) for name in (*_GROUPS, "normalize", "classes")}
        plain["dataset"] = {key: value for key, value in plain["dataset"].items() if changes_result(f"dataset.{key}")}
        return {KEY: json.dumps({**plain, "unit": asdict(self.unit), "input_range": asdict(self.input_range)})}


def read_description(extras: Mapping[str, Any]) -> SelfDescription | None:
    """Returns what a checkpoint's extras say of its network; None where they say nothing.

    Raises:
        FormatError: it is no description, or one of another version of maxexp.
    """
    text = extras.get(KEY)
    if text is None:
        return None
    try:
        plain = parse_json(str(text).encode())
        groups = {name: _typed(schema, plain[name]) for name, schema in _GROUPS.items()}
        normalize = None if plain["normalize"] is None else _typed(NormalizeConfig, plain["normalize"])
        unit = TargetUnit(*(tuple(map(float, plain["unit"][key])) for key in ("offset", "scale")))
        classes, ends = tuple(map(str, plain["classes"])), plain.get("input_range", {"low": (), "high": ()})
        scale = InputRange(*(tuple(map(float, ends[key])) for key in ("low", "high")))
        return SelfDescription(**groups, normalize=normalize, classes=classes, unit=unit, input_range=scale)
    except (MaxexpError, OmegaConfBaseException, LookupError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(f"its description of itself cannot be read: {error}") from error


def _typed(schema: type, plain: Mapping[str, Any]) -> Any:
    """A typed group; keys that this version does not have any more are left out."""
    known = {f.name for f in fields(schema)}
    kept = {key: value for key, value in plain.items() if key in known}
    return OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), kept))
