"""Compressed images to arrays, one after the other: threads do not pay (PIL holds the GIL too long)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from maxexp.base.errors import DataError, FormatError
from maxexp.base.picture_file import read_picture
from maxexp.data.config import DatasetConfig, Resize

PATIENCE_S = 1.0
"""Work that takes longer than this shows a progress bar."""
SHOWN = 5
"""Images that cannot be used which are named at once."""
BACKGROUND = "white"
"""What is seen through transparent pixels."""


def progress(items: Sequence, description: str) -> Iterator:
    """Yields the items, with a bar on stderr once this takes longer than a moment."""
    from rich.console import Console
    from rich.progress import Progress

    began = time.monotonic()
    console = Console(stderr=True)
    bar = Progress(console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(description, total=len(items))
    try:
        for done, item in enumerate(items):
            if not bar.live.is_started and time.monotonic() - began > PATIENCE_S:
                bar.start()
            bar.update(task, completed=done)
            yield item
    finally:
        bar.stop()


def on_background(image: Image.Image) -> Image.Image:
    """The image itself, or on the background where it is transparent: the colour under that is arbitrary."""
    if not image.has_transparency_data:
        return image
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, BACKGROUND), image)


def cut_around_centre(image: Image.Image, aspect: float) -> Image.Image:
    """The largest part around the centre whose width is ``aspect`` times its height, to the pixel."""
    width = max(1, min(image.width, round(image.height * aspect)))
    height = max(1, min(image.height, round(image.width / aspect)))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def resized(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The image in another size (width, height), bilinear: first the columns, then the rows.

    Pillow would choose the order of the two by its version and the sizes, and each rounds; firmware has this one.
    """
    columns = image.resize((size[0], image.height), Image.Resampling.BILINEAR)
    return columns.resize(size, Image.Resampling.BILINEAR)


def decode_image(data: bytes | Path, name: str, config: DatasetConfig, resize: bool) -> np.ndarray:
    """Decodes one image as it is meant to be seen.

    It is turned as its EXIF orientation says; what is transparent becomes white.

    Args:
        data: the compressed image or its file.
        name: how messages call the image.
        config: gives the shape to deliver.
        resize: whether an image of another size is resized (bilinear), as ``config.resize`` says, or refused.

    Returns:
        uint8 (C, H, W).

    Raises:
        DataError: the image is unreadable, has more than 8 bits, or another size.
    """
    try:
        image = read_picture(data)
    except (OSError, FormatError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise DataError(f"{name} is not a readable image ({cause}): replace or remove it.") from error
    return image_pixels(image, name, config, resize)


def image_pixels(image: Image.Image, name: str, config: DatasetConfig, resize: bool) -> np.ndarray:
    """The pixels of a picture in the shape and the colours of a data set; see :func:`decode_image`."""
    size, mode = (config.width, config.height), "L" if config.channels == 1 else "RGB"
    # PIL converts 16-bit and floating-point images by cutting off: nearly all becomes white.
    if image.mode.startswith(("I", "F")):
        raise DataError(f"{name} has more than 8 bits per channel: convert it to 8 bits.")
    image = on_background(image)
    image = image if image.mode == mode else image.convert(mode)
    if image.size != size:
        if not resize:
            raise DataError(
                f"{name} has {image.width}x{image.height} pixels (width x height) where "
                f"{size[0]}x{size[1]} are expected: give the original data or use dataset.source=images."
            )
        if config.resize is Resize.crop:
            image = cut_around_centre(image, config.width / config.height)
        image = resized(image, size)
    return np.asarray(image).reshape(config.height, config.width, config.channels).transpose(2, 0, 1)


def decode_images(
    data: Sequence[bytes | Path], names: Sequence[str], config: DatasetConfig, resize: bool
) -> np.ndarray:
    """Decodes many images; see :func:`decode_image`.

    Returns:
        uint8 (N, C, H, W).

    Raises:
        DataError: images cannot be used; the message names them.
    """
    images = np.empty((len(data), *config.shape), np.uint8)
    pairs = list(zip(data, names, strict=True))
    broken: list[DataError] = []
    for index, (item, name) in enumerate(progress(pairs, f"decoding {config.name}")):
        try:
            images[index] = decode_image(item, name, config, resize)
        except DataError as error:
            broken.append(error)
            if len(broken) > SHOWN:
                break
    if broken:
        more = "; and more" if len(broken) > SHOWN else ""
        raise DataError(" ".join(map(str, broken[:SHOWN])) + more) from broken[0]
    return images
