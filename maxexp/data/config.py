"""What can be chosen about a data set, as a typed schema."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.base.roles import MACHINE, PLACE


class DatasetSource(Enum):
    """Where the images of a data set come from."""

    cifar10 = "cifar10"
    cifar100 = "cifar100"
    digits = "digits"
    images = "images"
    arrays = "arrays"
    diabetes = "diabetes"
    signals = "signals"
    basic_motions = "basic_motions"


class Resize(Enum):
    """What becomes of a picture of another aspect ratio."""

    squash = "squash"
    """All of it is kept, out of proportion."""
    crop = "crop"
    """It is cut around its centre, and keeps its proportions."""


OF_PICTURES = {DatasetSource.cifar10, DatasetSource.cifar100, DatasetSource.digits, DatasetSource.images}

# (channels, height, width, classes, targets) of the sources whose content is not the user's to choose.
FIXED_CONTENT = {
    DatasetSource.cifar10: (3, 32, 32, 10, None),
    DatasetSource.cifar100: (3, 32, 32, 100, None),
    DatasetSource.digits: (1, 8, 8, 10, None),
    DatasetSource.diabetes: (10, 1, 1, None, 1),
    DatasetSource.basic_motions: (6, 100, 1, 4, None),
}


@frozen
@dataclass
class DatasetConfig:
    """A data set and where to find it.

    Attributes:
        name: name of the data set; also the folder that is looked for below a root.
        source: what kind of data set it is.
        channels: 1 (gray) or 3 (RGB) for images; any number for arrays.
        height: image height in pixels; the length of a signal.
        width: image width in pixels; 1 for signals.
        num_classes: number of classes; None for real targets.
        validation_images: how many training images are set aside for validation; None means a tenth.
        root: folder that holds the data; None looks in `data/`, then in $MAXEXP_DATA.
        download: whether a missing CIFAR set is fetched from its home page.
        split_seed: seed of the choice of validation images.
        cache_dir: where decoded images are kept; None means $MAXEXP_CACHE, else ~/.cache/maxexp.
        limit: train on at most this many images (stratified; the validation images stay the same).
        num_outputs: real targets of each example, all values of a map counted; None for classes.
        resize: what becomes of pictures of another aspect ratio; by training, prediction and camera alike.
        range: numbers of an array that become the pixels 0 and 255; None: the least and greatest of the training
            split.

    Raises:
        ConfigError: a value is impossible; the message names its key.
    """

    name: str
    source: DatasetSource
    channels: int
    height: int
    width: int
    num_classes: int | None
    validation_images: int | None = None
    root: str | None = field(default=None, metadata=PLACE)
    download: bool = field(default=True, metadata=MACHINE)
    split_seed: int = 0
    cache_dir: str | None = field(default=None, metadata=PLACE)
    limit: int | None = None
    num_outputs: int | None = None
    range: list[float] | None = None
    resize: Resize = Resize.squash
    range_per_channel: bool = True
    hop: int | None = None
    label: str | None = None

    def __post_init__(self) -> None:
        usable_name = re.fullmatch(r"\w[\w.-]*", self.name) is not None
        check("dataset.name", repr(self.name), usable_name, "must be letters, digits, '_', '-' and '.'")
        pictures = self.source in OF_PICTURES
        gray_or_rgb = self.channels in (1, 3) or not pictures
        check("dataset.channels", self.channels, gray_or_rgb, "must be 1 (gray) or 3 (RGB)")
        self._check_targets(pictures)
        for key, least in (("channels", 1), ("height", 1), ("width", 1)):
            value = getattr(self, key)
            check(f"dataset.{key}", value, value >= least, f"must be a whole number of at least {least}")
        check("dataset.split_seed", self.split_seed, self.split_seed >= 0, "must be a whole number of at least 0")
        aside = self.validation_images
        check("dataset.validation_images", aside, aside is None or aside >= 1, "must be null or at least 1")
        check("dataset.limit", self.limit, self.limit is None or self.limit >= 1, "must be null or at least 1")
        check("dataset.hop", self.hop, self.hop is None or self.hop >= 1, "must be null or at least 1")
        of_signals = self.source is not DatasetSource.signals or (self.width == 1 and self.num_classes is not None)
        check("dataset.width", self.width, of_signals, "must be 1, with num_classes, for dataset.source=signals")
        check("dataset.root", "''", self.root != "", "must be a folder, or null")
        self._check_fixed_content()

    def _check_targets(self, pictures: bool) -> None:
        classes, outputs = self.num_classes, self.num_outputs
        possible = classes is None or classes >= 2
        check("dataset.num_classes", classes, possible, "must be a whole number of at least 2")
        possible = outputs is None or outputs >= 1
        check("dataset.num_outputs", outputs, possible, "must be a whole number of at least 1")
        one = (classes is None) != (outputs is None)
        either = "give one of the two: classes, or real targets (task=regression)"
        check("dataset.num_classes, dataset.num_outputs", f"{classes}, {outputs}", one, either)
        check("dataset.num_outputs", outputs, outputs is None or not pictures, "pictures have classes; must be null")
        scaled = self.range is None or (len(self.range) == 2 and self.range[0] < self.range[1])
        check("dataset.range", self.range, scaled, "must be [LOW,HIGH] with LOW below HIGH, or null")

    def _check_fixed_content(self) -> None:
        expected = FIXED_CONTENT.get(self.source)
        if expected is None:
            return
        keys = ("channels", "height", "width", "num_classes", "num_outputs")
        for key, value in zip(keys, expected, strict=True):
            given = getattr(self, key)
            check(f"dataset.{key}", given, given == value, f"must be {value} with dataset.source={self.source.name}")

    @property
    def outputs(self) -> int:
        """Numbers that a network gives for one example: scores of classes, or target values."""
        outputs = self.num_outputs if self.num_classes is None else self.num_classes
        assert outputs is not None
        return outputs

    @property
    def shape(self) -> tuple[int, int, int]:
        """Returns (channels, height, width) of one image."""
        return self.channels, self.height, self.width
