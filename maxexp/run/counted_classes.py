"""The number of classes of the user's own images, which their folders say."""

from typing import Any

from omegaconf import DictConfig, ListConfig, OmegaConf

from maxexp.base.errors import ConfigError, DataError
from maxexp.data.config import DatasetConfig, DatasetSource

_ANY = 2
"""Stands for the number of classes while there is none."""


def with_counted_classes(composed: DictConfig | ListConfig) -> DictConfig | ListConfig:
    """Returns a composed configuration with the classes of its images counted, where no number is given.

    Raises:
        ConfigError: there are no images in which to count.
    """
    data = OmegaConf.select(composed, "dataset")
    if not isinstance(data, DictConfig) or not OmegaConf.is_missing(data, "num_classes"):
        return composed
    if data.source not in (DatasetSource.images, DatasetSource.images.name):
        return composed
    counted = composed.copy()
    counted.dataset.num_classes = _ANY
    plain = OmegaConf.to_container(counted.dataset, resolve=True, throw_on_missing=True)
    config: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(DatasetConfig), plain))
    # Only here: whoever uses a published set need not wait for what decodes images.
    from maxexp.data.sources.find import count_classes

    try:
        counted.dataset.num_classes = count_classes(config)
    except DataError as error:
        needed = "dataset.num_classes: a value is needed; give it as dataset.num_classes=..., or images to count in"
        raise ConfigError(f"{needed}: {error}") from error
    return counted
