"""Contact sheets: every pixel of every image is on it, enlarged without interpolation, and labels are legible."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from maxexp.camera.frame import Frame
from maxexp.camera.sheet import draw_sheet
from maxexp.camera.stream import dump


def find(sheet: np.ndarray, tile: np.ndarray) -> tuple[int, int]:
    """The place of an enlarged image on a sheet."""
    height, width = tile.shape[:2]
    views = np.lib.stride_tricks.sliding_window_view(sheet, tile.shape)[:, :, 0]
    corners = np.argwhere((sheet[: -height + 1, : -width + 1] == tile[0, 0]).all(-1))
    (place,) = [tuple(map(int, corner)) for corner in corners if np.array_equal(views[*corner], tile)]
    return place


def test_images_are_found_enlarged_row_by_row():
    draw = np.random.default_rng(1)
    images = [draw.integers(1, 250, (rows, columns, 3), np.uint8) for rows, columns in [(8, 8), (4, 9), (50, 20)]]
    sheet = draw_sheet(images, [("one",), ("two",), ("three", "of them")], columns=2, side=40)
    factors = [40 // 8, 40 // 9, 1]
    places = [
        find(sheet, image.repeat(factor, 0).repeat(factor, 1)) for image, factor in zip(images, factors, strict=True)
    ]
    assert places[0][0] == places[1][0] < places[2][0]
    assert places[0][1] == places[2][1] < places[1][1]


def test_labels_are_drawn_below_and_differ():
    image = np.full((4, 4, 1), 200, np.uint8)
    sheets = [
        draw_sheet([image, image], [(text, "RGB 4x4"), ("b.png", "RGB 4x4")], side=40) for text in ("a.png", "")
    ]
    rows, columns = np.nonzero((sheets[0] != sheets[1]).any(-1))
    assert np.ptp(rows) >= 5 and np.ptp(columns) >= 20  # pixels: large enough to be read
    assert columns.max() < sheets[0].shape[1] // 2 and rows.min() > 40
    assert sheets[0].min() < 60 and sheets[0].max() == 255


def test_long_labels_fit():
    image = np.zeros((4, 4, 3), np.uint8)
    name = "a" * 20 + "middle" * 20 + "z" * 20
    sheet = draw_sheet([image], [(name,)], side=8)
    assert sheet.shape[1] < 400
    assert (sheet[:, -8:] == 255).all()


def test_files_of_all_kinds_on_one_sheet(camera, refused, photo, tmp_path):
    (tmp_path / "frame.img").write_bytes(dump(Frame("BAYER", 8, 4, bytes(range(32)))))
    assert camera("convert", photo, tmp_path / "input.h").code == 0
    assert camera("convert", photo, tmp_path / "input.npy").code == 0
    Image.open(photo).convert("P").save(tmp_path / "palette.png")
    sources = [photo, tmp_path / "input.h", tmp_path / "input.npy", tmp_path / "frame.img", tmp_path / "palette.png"]
    done = camera("sheet", *sources, "--out", tmp_path / "sheet.png", "--columns", 5)
    assert (done.code, done.out) == (0, f"{tmp_path}/sheet.png: 5 images\n")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    enlarged = np.asarray(Image.open(photo)).repeat(4, 0).repeat(4, 1)
    views = np.lib.stride_tricks.sliding_window_view(sheet[12:140], enlarged.shape)[0, :, 0]
    assert sum(np.array_equal(view, enlarged) for view in views) == 3
    assert "missing.png: No such file" in refused("sheet", photo, Path("missing.png"), "--out", tmp_path / "b.png")


@pytest.mark.parametrize("option", ["--columns", "--side"])
def test_numbers_that_are_none(refused, photo, tmp_path, option):
    assert "'0' is not a whole number above 0" in refused(
        "sheet", photo, "--out", tmp_path / "a.png", option, "0", code=2
    )
