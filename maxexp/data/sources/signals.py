"""Recordings of one's own, cut into windows: folders of CSV and .npz files, a CSV file with labels, .ts files."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig
from maxexp.data.sources.recordings import Recording, read_csv, read_labelled_csv, read_npz, read_ts
from maxexp.data.store.arrays import InputRange, SplitArrays, check_labels
from maxexp.data.store.scaling import range_of_recordings, to_pixels
from maxexp.data.store.split import is_for_test

READERS = {".csv": read_csv, ".npz": read_npz}
"""Files with one recording each, in a folder for each class."""
MOST_BYTES = 4 << 30
"""Of the windows of a split."""
SHOWN = 3


@dataclass(frozen=True)
class SignalFiles:
    """Class folders, also below ``train`` and ``test``; ``NAME_TRAIN.ts`` and ``NAME_TEST.ts``; or ``NAME.csv``.

    Where there is no test split a recording's name decides whether it is for the test, a fifth by chance: windows of
    one recording are never on both sides.
    """

    place: Path
    config: DatasetConfig

    @classmethod
    def find(cls, place: Path, config: DatasetConfig) -> SignalFiles | None:
        """The files in a place; None if there are none."""
        found = cls(place, config)
        return found if found._tables or found._pair or found._folders else None

    @property
    def _tables(self) -> list[Path]:
        """Returns the one CSV file with labels, if it is there."""
        if self.config.label is None:
            return []
        places = (self.place, self.place / f"{self.config.name}.csv")
        return [path for path in places if path.suffix == ".csv" and path.is_file()][:1]

    @property
    def _pair(self) -> dict[str, Path]:
        """Returns split -> .ts file, of both or of none."""
        paths = {split: self.place / f"{self.config.name}_{split.upper()}.ts" for split in ("train", "test")}
        return paths if all(path.is_file() for path in paths.values()) else {}

    @property
    def _divided(self) -> bool:
        return (self.place / "train").is_dir()

    @property
    def _folders(self) -> bool:
        return self.place.is_dir() and bool(self._listing("train", chosen=False))

    def _listing(self, split: str, chosen: bool = True) -> list[Path]:
        """The files of a split, class by class.

        Args:
            chosen: by their names, where the folders do not say it.
        """
        origin = self.place / split if self._divided else self.place
        files = sorted(path for path in origin.glob("*/*") if path.suffix.lower() in READERS and path.is_file())
        files = [path for path in files if not path.name.startswith(".") and not path.parent.name.startswith(".")]
        if self._divided or not chosen:
            return files
        return [path for path in files if is_for_test(f"{path.parent.name}/{path.name}") == (split == "test")]

    def files(self, split: str) -> list[Path]:
        """The split's own files and those of the training split, which say the range and the classes."""
        if self._tables:
            return self._tables
        if self._pair:
            return list(dict.fromkeys((self._pair[split], self._pair["train"])))
        return list(dict.fromkeys((*self._listing(split), *self._listing("train"))))

    def unused(self) -> list[str]:
        """Sentences about files in class folders that are not read."""
        if self._tables or self._pair:
            return []
        pattern = "*/*/*" if self._divided else "*/*"
        others = [path for path in self.place.glob(pattern) if path.is_file() and path.suffix.lower() not in READERS]
        kinds = Counter(path.suffix or "(no suffix)" for path in others if not path.name.startswith("."))
        counts = ", ".join(f"{count} x {suffix}" for suffix, count in kinds.most_common(SHOWN))
        return [f"{self.place}: files are not read ({counts}); signals are .csv and .npz"] if kinds else []

    def _recordings(self, split: str) -> list[Recording]:
        if self._tables:
            assert self.config.label is not None
            table = read_labelled_csv(self._tables[0], self.config.label)
            return [each for each in table if is_for_test(f"{each.label}/{each.name}") == (split == "test")]
        if self._pair:
            return list(read_ts(self._pair[split]))
        found, broken = [], []
        for path in self._listing(split):
            try:
                found.append(Recording(str(path), path.parent.name, READERS[path.suffix.lower()](path)))
            except DataError as error:
                broken.append(str(error))
        if broken:
            raise DataError("; ".join(broken[:SHOWN]) + (f"; and {len(broken) - SHOWN} more" * (len(broken) > SHOWN)))
        return found

    @cached_property
    def _training(self) -> list[Recording]:
        return self._recordings("train")

    def read(self, split: str) -> SplitArrays:
        """Cuts the recordings of a split into windows and scales them by the range of the training split.

        Raises:
            DataError: a file cannot be read, has other channels, or is shorter than a window.
        """
        return windows_of(self._training, self._training if split == "train" else self._recordings(split), self)


def windows_of(training: list[Recording], recordings: list[Recording], source: SignalFiles) -> SplitArrays:
    """Returns the windows of recordings as (N, channels, window, 1), in the order of the recordings."""
    config, place = source.config, source.place
    if not training or not recordings:
        raise DataError(f"{place}: the training or the test split has no recordings; add some")
    for part in (training, recordings):
        _check_shapes(part, config)
    classes = sorted({each.label for each in training})
    strange = next((each for each in recordings if each.label not in classes), None)
    if strange is not None:
        raise DataError(f"{strange.name} is of the class {strange.label!r}, which has no training recordings")
    window, hop = config.height, config.hop or config.height
    counts = [(each.values.shape[1] - window) // hop + 1 for each in recordings]
    if sum(counts) * config.channels * window > MOST_BYTES:
        raise DataError(f"{place}: {sum(counts):,} windows need more than {MOST_BYTES >> 30} GiB; raise dataset.hop")
    scale = range_of_recordings([each.values for each in training], config)
    images = np.concatenate([_cut(each.values, scale, window, hop) for each in recordings])
    labels = np.repeat([classes.index(each.label) for each in recordings], counts).astype(np.int64)
    check_labels(labels, classes, config, place)
    return SplitArrays(images, labels, classes, input_range=scale)


def _check_shapes(recordings: list[Recording], config: DatasetConfig) -> None:
    wrong = [each for each in recordings if len(each.values) != config.channels]
    if wrong:
        counts = f"{wrong[0].name} has {len(wrong[0].values)} channels; dataset.channels says {config.channels}"
        raise DataError(f"{counts} ({len(wrong)} such recordings): correct whichever is wrong")
    short = [each for each in recordings if each.values.shape[1] < config.height]
    if short:
        names = ", ".join(f"{each.name} ({each.values.shape[1]})" for each in short[:SHOWN])
        raise DataError(
            f"{len(short)} recordings are shorter than a window of {config.height} samples (dataset.height): {names}"
            "; choose a shorter window or leave them out"
        )


def _cut(values: np.ndarray, scale: InputRange, window: int, hop: int) -> np.ndarray:
    """Returns uint8 (N, channels, window, 1)."""
    pixels = to_pixels(values, np.array(scale.low)[:, None], np.array(scale.high)[:, None])
    cut = np.lib.stride_tricks.sliding_window_view(pixels, window, axis=1)[:, ::hop]
    return np.ascontiguousarray(cut.transpose(1, 0, 2))[..., None]
