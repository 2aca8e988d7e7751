"""Parquet files in the layout of the Hugging Face hub: `train-*.parquet`, `test-*.parquet`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from maxexp.base.errors import DataError, FormatError
from maxexp.base.json_file import parse_json
from maxexp.data.config import DatasetConfig, DatasetSource
from maxexp.data.store.arrays import SplitArrays, check_labels
from maxexp.data.store.decode import decode_images

if TYPE_CHECKING:
    import pyarrow

IMAGE_COLUMNS = ("img", "image")
SPLITS = ("train-", "test-")
LABEL_COLUMNS = ("fine_label", "label")


def _read_table(file: Path) -> pyarrow.Table:
    from pyarrow import parquet

    try:
        opened = parquet.ParquetFile(file)
        rows, size = opened.metadata.num_rows, file.stat().st_size
        if rows > size:
            raise ValueError(f"{rows:,} images in {size:,} bytes")
        return opened.read()
    except Exception as error:  # pyarrow raises a dozen types for files that are not whole
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{file} is not a whole parquet file ({cause}): fetch it again.") from error


def _column(table: pyarrow.Table, names: tuple[str, ...], file: Path) -> str:
    for name in names:
        if name in table.column_names:
            return name
    raise DataError(
        f"{file} has no column {' or '.join(names)} (but {', '.join(table.column_names)}): rename its columns."
    )


def _compressed_images(table: pyarrow.Table, file: Path) -> list[bytes]:
    import pyarrow

    column = _column(table, IMAGE_COLUMNS, file)
    kind = table.schema.field(column).type
    if not pyarrow.types.is_struct(kind) or kind.get_field_index("bytes") < 0:
        raise DataError(f"{file}: column {column} is no struct {{bytes, path}}: store images as the hub does.")
    images = [row and row["bytes"] for row in table[column].to_pylist()]
    if not all(isinstance(image, bytes) for image in images):
        raise DataError(f"{file}: column {column} has rows without image bytes: embed the images.")
    return images


def _labels(table: pyarrow.Table, file: Path) -> np.ndarray:
    import pyarrow

    column = _column(table, LABEL_COLUMNS, file)
    if not pyarrow.types.is_integer(table.schema.field(column).type) or table[column].null_count:
        raise DataError(f"{file}: column {column} is not one whole number per image: repair the file.")
    return table[column].to_numpy().astype(np.int64)


def _class_names(table: pyarrow.Table, file: Path, num_classes: int) -> list[str]:
    """The names in the schema's metadata; a file without them has its classes numbered."""
    described = (table.schema.metadata or {}).get(b"huggingface", b"{}")
    label = _column(table, LABEL_COLUMNS, file)
    try:
        names = parse_json(described)
        for key in ("info", "features", label, "names"):
            names = names.get(key, {})
        names = names or [str(number) for number in range(num_classes)]
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise FormatError("its class names are no list of texts")
    except (FormatError, AttributeError) as error:
        raise DataError(f"{file} has a 'huggingface' entry that is no description: fetch it again.") from error
    return names


@dataclass(frozen=True)
class ParquetFiles:
    """The shards of both splits in one folder."""

    folder: Path
    config: DatasetConfig

    @classmethod
    def find(cls, place: Path, config: DatasetConfig) -> ParquetFiles | None:
        """The parquet files in a place, None if there are none."""
        return cls(place, config) if any(place.glob("train-*.parquet")) else None

    def files(self, split: str) -> list[Path]:
        """All shards of a split.

        Raises:
            DataError: none is there, or one of those announced by `-of-` is missing.
        """
        found = sorted(self.folder.glob(f"{split}-*.parquet"))
        if not found:
            raise DataError(f"{self.folder} has no {split}-*.parquet: add the files of this split.")
        announced = re.search(r"-of-(\d+)\.parquet$", found[0].name)
        if announced and len(found) != int(announced[1]):
            raise DataError(
                f"{self.folder} holds {len(found)} of {int(announced[1])} files {split}-*.parquet: "
                "fetch the missing ones or remove those of another set."
            )
        return found

    def count_classes(self) -> int:
        """Returns how many classes are named, or where none are, have labels."""
        found = 0
        for file in self.files("train"):
            table = _read_table(file)
            labels = _labels(table, file)
            found = max(found, len(_class_names(table, file, int(labels.max(initial=-1)) + 1)))
        return found

    def unused(self) -> list[str]:
        """Files of splits that are neither for training nor for the test."""
        others = sorted(path.name for path in self.folder.glob("*.parquet") if not path.name.startswith(SPLITS))
        return [f"{len(others)} parquet files are not read ({', '.join(others[:3])})"] if others else []

    def read(self, split: str) -> SplitArrays:
        """Decodes a split; the user's own images are resized, those of a known set must fit.

        Raises:
            DataError: a file is corrupt, or disagrees with the configuration.
        """
        compressed, names, labels, classes = [], [], [], []
        for file in self.files(split):
            table = _read_table(file)
            labels.append(_labels(table, file))
            classes = _class_names(table, file, self.config.outputs)
            check_labels(labels[-1], classes, self.config, file)
            rows = _compressed_images(table, file)
            compressed += rows
            names += [f"{file} row {row}" for row in range(len(rows))]
        resize = self.config.source is DatasetSource.images
        images = decode_images(compressed, names, self.config, resize)
        return SplitArrays(images, np.concatenate(labels), classes)
