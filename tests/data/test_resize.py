"""Pictures of another aspect ratio: squashed, or cropped around their centre."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from maxexp.data.config import Resize
from maxexp.data.dataset import load_split
from maxexp.data.store.decode import decode_image
from tests.conftest import composed

CONFIG = composed("dataset=images", "dataset.num_classes=2", "dataset.height=8", "dataset.width=8").dataset
THIRDS = np.zeros((32, 64, 3), np.uint8)
THIRDS[:, :16], THIRDS[:, 16:48], THIRDS[:, 48:] = (255, 0, 0), (9, 99, 199), (0, 255, 0)
"""Twice as wide as high; of a square around its centre the middle is left."""


@pytest.mark.parametrize("turned", [False, True])
def test_crop_and_squash(tmp_path, turned):
    pixels = THIRDS.transpose(1, 0, 2) if turned else THIRDS
    Image.fromarray(pixels).save(tmp_path / "a.png")
    crop = decode_image(tmp_path / "a.png", "a", dataclasses.replace(CONFIG, resize=Resize.crop), resize=True)
    assert (crop == np.array([9, 99, 199])[:, None, None]).all()
    squashed = decode_image(tmp_path / "a.png", "a", CONFIG, resize=True)
    assert squashed[0].max() > 200 and squashed[1].max() > 200, "both ends are there"


def test_each_has_its_own_decoded_images(tmp_path):
    for name in ("a", "b"):
        for number in range(12):
            (tmp_path / "pictures" / name).mkdir(parents=True, exist_ok=True)
            Image.fromarray(THIRDS).save(tmp_path / "pictures" / name / f"{number}.png")
    config = dataclasses.replace(CONFIG, root=str(tmp_path / "pictures"), cache_dir=str(tmp_path / "cache"))
    digests = [load_split(dataclasses.replace(config, resize=each), "train").digest for each in Resize]
    assert len(set(digests)) == 2
    assert [load_split(dataclasses.replace(config, resize=each), "train").digest for each in Resize] == digests
