"""A nested configuration as the flat list of texts that MLflow calls params."""

import json
from collections.abc import Mapping
from enum import Enum
from typing import Any

from maxexp.base.secrets import values_without_secrets


def flatten(config: Mapping[str, Any]) -> dict[str, str]:
    """Flattens nested mappings to dotted keys.

    Args:
        config: Nested mappings of plain values, e.g. ``OmegaConf.to_container(cfg, resolve=True)``.

    Returns:
        One text per leaf: lists (and mappings inside of lists) as JSON, ``None`` as ``null``, booleans in
        lower case, enums by name. An empty mapping is the leaf ``{}``, so that no key is lost.
    """
    flat: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            flat.update({f"{key}.{inner}": text for inner, text in flatten(value).items()})
        else:
            flat[str(key)] = _text(value)
    return flat


def masked(config: Mapping[str, Any]) -> dict[str, str]:
    """The same without passwords: the params of a run."""
    return flatten(values_without_secrets(config))


def _text(value: Any) -> str:
    if isinstance(value, Enum):
        return value.name
    if value is None or isinstance(value, (bool, list, tuple, Mapping)):
        return json.dumps(value, default=_text, ensure_ascii=False)
    return str(value)
