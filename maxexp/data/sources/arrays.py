"""Arrays of one's own: ``x_train``, ``y_train``, ``x_test`` and ``y_test`` in a NumPy archive (.npz)."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from maxexp.base.errors import DataError
from maxexp.data.config import DatasetConfig
from maxexp.data.store.arrays import InputRange, SplitArrays, check_labels
from maxexp.data.store.scaling import target_unit, to_pixels, to_unit, value_range

Shape = tuple[int, ...]


@dataclass(frozen=True)
class ArrayFile:
    """A .npz file.

    ``x_train`` and ``x_test`` are (N, C, H, W) or (N, H, W, C) images, (N, C, L) signals or (N, F) features: uint8
    pixels, or numbers that are scaled to them. ``y_train`` and ``y_test`` are (N,) class numbers with
    ``dataset.num_classes``, else (N, ...) real targets; without them the targets are the inputs themselves.
    """

    path: Path
    config: DatasetConfig

    @classmethod
    def find(cls, place: Path, config: DatasetConfig) -> ArrayFile | None:
        """The file itself, or ``NAME.npz`` in a folder; None if there is neither."""
        for path in (place, place / f"{config.name}.npz"):
            if path.suffix == ".npz" and path.is_file():
                return cls(path, config)
        return None

    def files(self, split: str) -> list[Path]:
        """The one file."""
        return [self.path]

    def unused(self) -> list[str]:
        known = {f"{kind}_{split}" for kind in "xy" for split in ("train", "test")}
        others = ", ".join(name for name in self._names() if name not in known)
        return [f"{self.path} also holds {others}, which is not read"] if others else []

    def read(self, split: str) -> SplitArrays:
        """Reads a split; ranges and units are those of the training split.

        Raises:
            DataError: an array is missing, not of numbers, or of another shape than the configuration says.
        """
        inputs, training = self._inputs(split), self._inputs("train")
        low, high = self.config.range or value_range(training)
        real = inputs.dtype != np.uint8
        pixels = to_pixels(inputs, low, high) if real else inputs
        scale = InputRange((float(low),), (float(high),)) if real else InputRange()
        if self.config.num_classes is not None:
            labels = self._labels(split, len(inputs))
            return SplitArrays(
                pixels, labels, [str(number) for number in range(self.config.num_classes)], input_range=scale
            )
        unit = target_unit(self._targets("train", training))
        return SplitArrays(pixels, to_unit(self._targets(split, inputs), unit), [], unit, scale)

    def _inputs(self, split: str) -> np.ndarray:
        """Returns (N, C, H, W), uint8 or real."""
        name = f"x_{split}"
        values = self._array(name)
        shape = self.config.shape
        if values.shape[1:] == (*shape[1:], shape[0]) and values.shape[1:] != shape:
            values = values.transpose(0, 3, 1, 2)
        if values.shape[1:] not in _layouts(shape):
            raise DataError(
                f"{self.path}: {name} has the shape {values.shape}; dataset.channels, height and width say "
                f"(N, {', '.join(map(str, shape))}): correct whichever is wrong"
            )
        return np.ascontiguousarray(values.reshape(len(values), *shape))

    def _labels(self, split: str, count: int) -> np.ndarray:
        values = self._array(f"y_{split}").reshape(-1)
        if len(values) != count or not np.array_equal(values, np.floor(values)):
            raise DataError(
                f"{self.path}: y_{split} must hold one class number for each of the {count} rows of x_{split}; for "
                "real targets give dataset.num_outputs instead of dataset.num_classes, and task=regression"
            )
        assert self.config.num_classes is not None
        labels = values.astype(np.int64)
        check_labels(labels, [str(number) for number in range(self.config.num_classes)], self.config, self.path)
        return labels

    def _targets(self, split: str, inputs: np.ndarray) -> np.ndarray:
        """Returns the real targets (N, outputs) or (N, ...); those of an autoencoder are its inputs."""
        name = f"y_{split}"
        values = self._array(name).astype(np.float64) if name in self._names() else inputs.astype(np.float64)
        values = values.reshape(-1, 1) if values.ndim == 1 else values
        outputs = int(np.prod(values.shape[1:]))
        if len(values) != len(inputs) or outputs != self.config.num_outputs:
            raise DataError(
                f"{self.path}: {name if name in self._names() else f'x_{split}'} has {len(values)} rows of {outputs} "
                f"targets; x_{split} has {len(inputs)} rows and dataset.num_outputs is {self.config.num_outputs}"
            )
        return values

    def _names(self) -> list[str]:
        with self._open() as archive:
            return list(archive.files)

    def _array(self, name: str) -> np.ndarray:
        """A numeric array of the file, every value finite."""
        with self._open() as archive:
            if name not in archive.files:
                there = ", ".join(archive.files) or "nothing"
                raise DataError(f"{self.path} has no array {name}: it holds {there}")
            try:
                values = archive[name]
            except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, MemoryError) as error:
                message = f"{self.path}: the array {name} cannot be read ({error}); write the file anew"
                raise DataError(message) from error
        if values.ndim == 0 or values.size == 0 or values.dtype.kind not in "buif":
            raise DataError(f"{self.path}: {name} must be an array of numbers; it is {values.dtype} {values.shape}")
        if values.dtype.kind == "f" and not np.isfinite(values).all():
            raise DataError(f"{self.path}: {name} holds values that are not finite; replace or leave them out")
        return values

    def _open(self) -> np.lib.npyio.NpzFile:
        try:
            opened = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise DataError(f"{self.path} is not a .npz file: {error}") from error
        if not isinstance(opened, np.lib.npyio.NpzFile):
            raise DataError(f"{self.path} holds one array; write several with numpy.savez(FILE, x_train=..., ...)")
        return opened


def _layouts(shape: Shape) -> list[Shape]:
    """Shapes that an example of (C, H, W) may have: a signal needs no axis of columns, features no pixels."""
    layouts = [shape]
    if shape[2] == 1:
        layouts.append(shape[:2])
    if shape[1:] == (1, 1):
        layouts.append(shape[:1])
    return layouts
