"""Pictures and the pixels that a network sees of them: crop, size and colour, and only where it is asked for."""

from __future__ import annotations

import numpy as np
from PIL import Image as Picture

from maxexp.base.errors import CameraError
from maxexp.data.config import Resize
from maxexp.data.store.decode import cut_around_centre, on_background, resized

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
"""PIL's names of pictures by channels; two and four use the alpha channel, so that a PNG keeps all of them."""

PLAIN = ("L", "RGB")
"""Modes that are what they seem; all others are converted only where it is asked for."""


def to_picture(pixels: np.ndarray) -> Picture.Image:
    """A picture of uint8 (H, W, C), C from 1 to 4.

    Raises:
        CameraError: there are more channels.
    """
    channels = pixels.shape[2]
    if channels not in MODES:
        raise CameraError(
            f"{channels} channels cannot be a picture, which has at most {max(MODES)}: write .npy or .h"
        )
    return Picture.fromarray(np.ascontiguousarray(pixels if channels > 1 else pixels[..., 0]))


def to_pixels(
    picture: Picture.Image, shape: tuple[int, int, int] | None, resize: Resize | None, recolor: bool
) -> np.ndarray:
    """The pixels of a picture, as a network of a given input shape sees it.

    Args:
        picture: with 8 bits per channel.
        shape: channels, rows and columns; None takes the picture's own.
        resize: what becomes of a picture of another size; None refuses it. Training does what ``dataset.resize`` says
            (:func:`maxexp.data.store.decode.decode_image`): a network is to see the same.
        recolor: whether to turn gray to colour, colour to gray, and what is transparent to white; without a shape
            to RGB.

    Returns:
        uint8 (H, W, C).

    Raises:
        CameraError: the picture has another shape, and it may not be changed.
    """
    if picture.mode.startswith(("I", "F")):
        raise CameraError("more than 8 bits per channel: convert it to 8 bits first")
    if shape is not None:
        picture = _fit(picture, shape, resize, recolor)
    elif recolor:
        picture = on_background(picture).convert("RGB")
    elif picture.mode not in PLAIN:
        raise CameraError(f"neither gray nor RGB but {picture.mode}: add --recolor to make it RGB, or --shape")
    pixels = np.asarray(picture)
    return pixels.reshape(*pixels.shape[:2], -1)


def _fit(picture: Picture.Image, shape: tuple[int, int, int], resize: Resize | None, recolor: bool) -> Picture.Image:
    channels, height, width = shape
    mode = MODES.get(channels)
    if mode is None:
        raise CameraError(f"a picture has 1 to {max(MODES)} channels, and --shape asks for {channels}")
    if picture.mode != mode:
        if not recolor:
            raise CameraError(
                f"it is {picture.mode}, and {channels} channels are {mode}: add --recolor to convert it"
            )
        picture = (on_background(picture) if mode in PLAIN else picture).convert(mode)
    if picture.size != (width, height):
        if resize is None:
            raise CameraError(
                f"it has {picture.width}x{picture.height} pixels, and --shape asks for {width}x{height} (width x "
                "height): add --resize squash, as training does it, or --resize crop to cut it around the centre"
            )
        if resize is Resize.crop:
            picture = cut_around_centre(picture, width / height)
        picture = resized(picture, (width, height))
    return picture
