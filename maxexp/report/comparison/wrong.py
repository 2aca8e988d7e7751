"""The test images that most runs get wrong; of a single run the first ones."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from PIL import Image

from maxexp.base.errors import FormatError, MaxexpError
from maxexp.base.yaml_file import read_yaml
from maxexp.data.config import DatasetConfig
from maxexp.report.comparison.collect import RunDetails
from maxexp.tracking.artifacts import RESOLVED

if TYPE_CHECKING:
    from maxexp.data.dataset import ImageSet

log = logging.getLogger(__name__)

SHOWN = 24
"""Images of each data set."""


@dataclass(frozen=True)
class WrongImage:
    """A test image that is taken for a wrong class.

    Attributes:
        index: in the test split, from 0.
        true: class.
        predicted: the class that most of the runs took it for.
        runs: how many took it for a wrong class.
        thumbnail: PNG as a data URI; None where the data set is not at hand.
    """

    index: int
    true: str
    predicted: str
    runs: int
    thumbnail: str | None


@dataclass(frozen=True)
class WrongImages:
    """The images of one test split that are often wrong.

    Attributes:
        evaluated: runs that looked at it and recorded what they saw.
        always_right: images that all of them got right.
        total: images of the split.
    """

    dataset: str
    evaluated: int
    always_right: int
    total: int
    images: Sequence[WrongImage]


def most_often_wrong(runs: Sequence[RunDetails]) -> list[WrongImages]:
    """Returns, for each test split, the images that the most runs get wrong; ties go to the first.

    Where a single run looked at a split, all are equally often wrong.
    """
    splits: dict[str, list[RunDetails]] = {}
    for details in runs:
        if details.predictions is not None and details.test_data is not None:
            splits.setdefault(details.test_data, []).append(details)
    return [_of_split(alike) for alike in splits.values()]


def _of_split(runs: Sequence[RunDetails]) -> WrongImages:
    predictions = [details.predictions for details in runs if details.predictions]
    wrong = np.stack([each.wrong for each in predictions])
    times = wrong.sum(0)
    order = [int(i) for i in np.argsort(-times, kind="stable")[:SHOWN] if times[i]]
    images = _images(runs[0]) if order else None
    classes, labels = predictions[0].classes, predictions[0].labels
    shown = []
    for index in order:
        taken_for = int(np.bincount([each.predicted[index] for each in predictions if each.wrong[index]]).argmax())
        thumbnail = _thumbnail(images.images[index].numpy()) if images else None
        shown.append(WrongImage(index, classes[int(labels[index])], classes[taken_for], int(times[index]), thumbnail))
    return WrongImages(runs[0].dataset, len(runs), int((times == 0).sum()), len(times), shown)


def _images(details: RunDetails) -> ImageSet | None:
    """The test split of a run, if it is on this machine and still the same."""
    try:
        dataset = _recorded_dataset(details.run.artifact(RESOLVED))
        # Not before it is needed: torch takes longer to load than all else here.
        from maxexp.data.dataset import load_split

        images = load_split(replace(dataset, download=False), "test")
    except (MaxexpError, OmegaConfBaseException) as error:
        log.info("no thumbnails of %s: %s", details.dataset, error)
        return None
    assert details.test_data is not None
    return images if images.digest.startswith(details.test_data) else None


def _recorded_dataset(resolved: Path) -> DatasetConfig:
    """Reads the data set from a run's resolved configuration."""
    recorded = read_yaml(resolved)
    if not isinstance(recorded, dict) or not isinstance(recorded.get("dataset"), dict):
        raise FormatError("the recorded configuration has no data set")
    dataset: Any = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(DatasetConfig), recorded["dataset"]))
    return dataset


def _thumbnail(pixels: np.ndarray) -> str:
    """A PNG of uint8 (C, H, W); signals, and what is neither gray nor RGB, have a row of it for each channel."""
    if pixels.shape[2] == 1 or len(pixels) not in (1, 3):
        pixels = pixels.reshape(1, len(pixels), -1)
    image = Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0))
    png = io.BytesIO()
    image.save(png, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
