"""Photos, arrays and loaders of a caller, as the pixels that a network was trained with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig
from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import InputRange, content_digest
from maxexp.data.store.decode import decode_image, image_pixels
from maxexp.data.store.scaling import to_pixels
from maxexp.network.sizes import dimensions

Example = str | os.PathLike[str] | Image.Image | np.ndarray | Tensor
"""A photo's file, a picture of PIL, or an array: see :func:`pixels`."""

_HINT = "give 8-bit pixels from 0 to 255, or numbers from 0 to 1 as torchvision's ToTensor does, without Normalize"


def pixels(example: Example, dataset: DatasetConfig, scale: InputRange) -> Tensor:
    """Returns one example as uint8 (C, H, W), with the preprocessing of the training.

    Args:
        example: a file or a picture, which is turned, converted and resized as training images are; a NumPy array
            (H, W) or (H, W, C) of 8-bit pixels, likewise; a tensor (C, H, W) of 8-bit pixels or of numbers from 0
            to 1. Of signals and features an array or tensor of the data set's own shape, in its own numbers.
        scale: the range of the training's real numbers.

    Raises:
        DataError: it cannot be read, or has another shape.
    """
    if isinstance(example, (str, os.PathLike)):
        path = Path(example).expanduser()
        return torch.from_numpy(decode_image(path, str(path), dataset, resize=True).copy())
    if isinstance(example, np.ndarray) and _is_picture(example, dataset):
        example = Image.fromarray(example if example.ndim == 2 or example.shape[2] > 1 else example[..., 0])
    if isinstance(example, Image.Image):
        return torch.from_numpy(image_pixels(example, "the picture", dataset, resize=True).copy())
    values = torch.as_tensor(example)
    if values.numel() != torch.Size(dataset.shape).numel():
        raise DataError(f"an example of shape {tuple(values.shape)}: the network reads {dimensions(dataset.shape)}")
    return as_pixels(values.reshape(dataset.shape), scale)


def as_pixels(values: Tensor, scale: InputRange) -> Tensor:
    """Returns 8-bit pixels of numbers that are such, or lie within 0 and 1; or of real numbers, by their range.

    Args:
        values: (C, H, W) or (N, C, H, W).
        scale: of the training's real numbers, whose likes are given; empty where it had pixels.

    Raises:
        DataError: they are others.
    """
    if values.dtype is torch.uint8:
        return values
    if not values.is_floating_point():
        raise DataError(f"examples of {values.dtype}: {_HINT}")
    low: float | np.ndarray
    high: float | np.ndarray
    if scale.low:
        # One for each channel, or one for all.
        low, high = (np.array(ends)[:, None, None] for ends in (scale.low, scale.high))
    elif bool((values >= 0).all()) and bool((values <= 1).all()):
        low, high = 0.0, 1.0
    else:
        raise DataError(f"examples from {float(values.min()):.3g} to {float(values.max()):.3g}: {_HINT}")
    return torch.from_numpy(to_pixels(values.cpu().numpy(), low, high))


def gather(loader: Iterable[Any], dataset: DatasetConfig, scale: InputRange, classes: list[str]) -> ImageSet:
    """Returns all examples of a loader.

    Args:
        loader: gives batches (images, labels), as a ``DataLoader`` of torch does; images are (N, C, H, W), 8-bit
            pixels or numbers from 0 to 1, of signals and features the data set's own numbers.
        scale: the range of the training's real numbers.
        classes: names.

    Raises:
        DataError: it gives something else, or nothing.
    """
    images, labels = zip(*_batches(loader, dataset, scale), strict=True) if (loader := list(loader)) else ((), ())
    if not images:
        raise DataError("the loader gives no batch")
    if any(label is None for label in labels):
        raise DataError("the loader gives images without labels; an evaluation needs batches (images, labels)")
    pictures, targets = torch.cat(images), torch.cat(labels)
    digest = content_digest(pictures.numpy(), targets.numpy())
    return ImageSet(pictures, targets, classes, digest)


def first_images(loader: Iterable[Any], dataset: DatasetConfig, scale: InputRange, count: int) -> Tensor:
    """Returns uint8 (N, C, H, W): the first images of a loader, whose batches may have labels.

    Raises:
        DataError: it gives something else, or nothing.
    """
    found: list[Tensor] = []
    for images, _ in _batches(loader, dataset, scale):
        found.append(images)
        if sum(map(len, found)) >= count:
            break
    if not found:
        raise DataError("the loader gives no batch")
    return torch.cat(found)[:count]


def _batches(
    loader: Iterable[Any], dataset: DatasetConfig, scale: InputRange
) -> Iterator[tuple[Tensor, Tensor | None]]:
    for batch in loader:
        images, labels = batch if isinstance(batch, (list, tuple)) and len(batch) == 2 else (batch, None)
        images = torch.as_tensor(images).cpu()
        if tuple(images.shape[1:]) != dataset.shape:
            raise DataError(
                f"a batch of shape {tuple(images.shape)}: the network reads (N, {', '.join(map(str, dataset.shape))})"
            )
        yield as_pixels(images, scale), None if labels is None else torch.as_tensor(labels).cpu()


def _is_picture(values: np.ndarray, dataset: DatasetConfig) -> bool:
    """Tells whether an array is one of rows, columns and colours, rather than of the data set's own shape."""
    if values.dtype != np.uint8 or values.shape == dataset.shape:
        return False
    return values.ndim == 2 or (values.ndim == 3 and values.shape[2] in (1, 3, 4))
