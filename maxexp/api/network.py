"""Networks that are described and not trained: ``maxexp.network``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from maxexp.api.asked import IMAGES, Asked, Dataset, Model, ask, dataset_overrides, key_overrides
from maxexp.api.cost import Cost
from maxexp.network.layer import Layer
from maxexp.network.sizes import dimensions
from maxexp.run.description import Description


class Untrained:
    """A network's description for a data set and a chip; :func:`network` makes one."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.description: Description = asked.describe()
        self._network = self.description.network

    @property
    def name(self) -> str:
        """Returns the name in the description."""
        return self._network.name

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in order of execution, with their shapes and counts."""
        return self._network.layers

    def cost(self) -> Cost:
        """Returns what one inference costs on the chip: cycles, latency, memory; no data, no torch, no record.

        Raises:
            DeviceError: the network does not fit; names the layer, the excess and a remedy.

        Example:
            >>> maxexp.network("cmsisnnet", dataset="cifar10", width=0.5).cost().latency_us
            694.38
        """
        return Cost(self.description.cost())

    def for_dataset(self, dataset: Dataset) -> Untrained:
        """Returns the same network for another data set: other images, another number of classes.

        Args:
            dataset: as of :func:`network`; images of a folder get the size and the colours of this network's.
        """
        overrides = dataset_overrides(dataset)
        if not isinstance(dataset, Mapping) and overrides[0] == IMAGES:
            here = self.description.dataset
            size = {"channels": here.channels, "height": here.height, "width": here.width}
            overrides += key_overrides({f"dataset.{key}": value for key, value in size.items()})
        return Untrained(replace(self.asked, dataset=overrides))

    def __repr__(self) -> str:
        shape, weights = dimensions(self._network.in_shape), self._network.weights
        return f"<{self.name}, not trained: {len(self.layers)} layers for {shape}, {weights:,} weights>"


def network(
    model: Model,
    dataset: Dataset,
    *,
    width: float | None = None,
    bits: int | None = None,
    layer_bits: Mapping[str, int] | None = None,
    device: str | None = None,
    **keys: Any,
) -> Untrained:
    """Describes a network. Nothing is trained or recorded, and torch is not imported.

    Args:
        model: the name of a preset (``"cmsisnnet"``), a YAML file, or its content as a mapping.
        dataset: the name of a preset (``"cifar10"``), a folder of images by class, or the keys of a set of images:
            ``{"channels": 1, "height": 28, "width": 28, "num_classes": 10}``.
        width: factor on the channels of all hidden layers.
        bits: of a weight, 8, 4, 2 or 1; default 8.
        layer_bits: bits of single layers by name.
        device: the chip; default ``max78000``.
        keys: further keys of the model, with ``__`` for dots: ``layers__conv2__out_channels=48``.

    Raises:
        ConfigError: a name or value is not known; the layers do not fit together or to the data set.

    Example:
        >>> net = maxexp.network("cmsisnnet", dataset="cifar10", width=0.5)
        >>> net
        <cmsisnnet, not trained: 7 layers for 3x32x32, 24,016 weights>
    """
    asked = {
        "device": device,
        "model.width": width,
        "quantization.weight_bits": bits,
        "quantization.layer_bits": layer_bits,
        **{f"model.{key.replace('__', '.')}": value for key, value in keys.items()},
    }
    return Untrained(ask(model, dataset, asked))
