"""A contact sheet: several images beside one another, enlarged, with labels."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, sqrt

import numpy as np
from PIL import Image as Picture
from PIL import ImageDraw, ImageFont

from maxexp.base.languages.printable import printable
from maxexp.camera.picture import to_picture

FONT_SIZE = 13
LINE = 17  # pixels from line to line of a label
GAP = 12  # pixels between cells
LONGEST = 36  # characters of a label's line
PAPER, INK, FRAME = "white", "black", "gray"


def draw_sheet(
    images: Sequence[np.ndarray], labels: Sequence[Sequence[str]], columns: int | None = None, side: int = 192
) -> np.ndarray:
    """Draws images row by row in equal cells, each with its label below.

    Small images are enlarged by a whole factor without interpolation, so that every pixel stays what it is.

    Args:
        images: uint8 (H, W, C), C from 1 to 4, of any sizes.
        labels: lines of text for each.
        columns: of the sheet; None makes it about square.
        side: pixels up to which the longer side of an image is enlarged; larger ones stay as they are.

    Returns:
        uint8 (H, W, 3).

    Raises:
        CameraError: an image has more than four channels.
    """
    font = ImageFont.load_default(FONT_SIZE)
    tiles = [_enlarge(to_picture(image).convert("RGB"), side) for image in images]
    texts = ["\n".join(map(_shorten, lines)) for lines in labels]
    columns = min(columns or ceil(sqrt(len(tiles))), len(tiles))
    wide = max(
        [tile.width for tile in tiles] + [ceil(font.getlength(line)) for text in texts for line in text.split("\n")]
    )
    high = max(tile.height for tile in tiles)
    below = LINE * max(text.count("\n") + 1 for text in texts)
    cell = (wide + GAP, high + below + GAP)
    sheet = Picture.new("RGB", (columns * cell[0] + GAP, ceil(len(tiles) / columns) * cell[1] + GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, (tile, text) in enumerate(zip(tiles, texts, strict=True)):
        left, top = GAP + index % columns * cell[0], GAP + index // columns * cell[1]
        draw.rectangle((left - 1, top - 1, left + tile.width, top + tile.height), outline=FRAME)
        sheet.paste(tile, (left, top))
        draw.multiline_text((left, top + tile.height + 2), text, INK, font, spacing=LINE - FONT_SIZE)
    return np.asarray(sheet)


def _enlarge(picture: Picture.Image, side: int) -> Picture.Image:
    factor = max(1, side // max(picture.size))
    return picture.resize((picture.width * factor, picture.height * factor), Picture.Resampling.NEAREST)


def _shorten(line: str) -> str:
    line = printable(line)
    return line if len(line) <= LONGEST else f"{line[: LONGEST // 2 - 1]}...{line[-LONGEST // 2 + 2 :]}"
