"""The layout of the network's input in 32-bit words: HWC and CHW (docs/hardware.md, Data layout, 6.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np

from maxexp.base.errors import CameraError
from maxexp.chip.input_words import input_words
from maxexp.chip.part import WORD_BYTES, Part


class Order(StrEnum):
    """HWC: a word holds one pixel of up to four channels. CHW: four pixels of one channel."""

    HWC = "HWC"
    CHW = "CHW"


@dataclass(frozen=True)
class InputLayout:
    """Where the numbers of one network input are.

    Attributes:
        shape: channels, rows, columns.
        order: of the data.
        processors: bit mask of the first layer's processors.
        part: the chip.
    """

    shape: tuple[int, int, int]
    order: Order
    processors: int
    part: Part

    def __post_init__(self) -> None:
        channels, count, chip = self.shape[0], len(self._used), self.part.processors
        if min(self.shape) < 1:
            raise CameraError(f"{'x'.join(map(str, self.shape))} {self.order}: an input without pixels")
        if self.processors >> chip.count:
            raise CameraError(f"processors {self.processors:#x}: {self.part.name} has {chip.count}")
        if self.order is Order.HWC and count != chip.used(channels):
            raise CameraError(
                f"processors {self.processors:#x} are {count}, and an HWC input of {channels} channels takes "
                f"{chip.used(channels)}: give the mask of the first layer"
            )
        if self.order is Order.CHW and (count != channels or len(self._instances) != count):
            raise CameraError(
                f"processors {self.processors:#x} do not fit a CHW input of {channels} channels: one processor per "
                f"channel, each from another group of {chip.per_instance}; so {chip.instances} channels at most"
            )

    @classmethod
    def usual(cls, shape: tuple[int, int, int], order: Order, part: Part) -> InputLayout:
        """The input at the lowest processors: of all for HWC, of each data memory instance for CHW."""
        step = 1 if order is Order.HWC else part.processors.per_instance
        count = shape[0] if order is Order.CHW else part.processors.used(shape[0])
        return cls(shape, order, sum(1 << step * index for index in range(count)), part)

    @classmethod
    def parse(cls, text: str, part: Part) -> InputLayout | None:
        """The first layout that a text describes as ``str`` of it does; None if there is none."""
        match = re.search(r"\b(\d{1,6})x(\d{1,6})x(\d{1,6}) (HWC|CHW), processors (0x[0-9a-f]{1,16})\b", text)
        if match is None:
            return None
        channels, rows, columns = (int(group) for group in match.groups()[:3])
        return cls((channels, rows, columns), Order(match[4]), int(match[5], 16), part)

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.shape))} {self.order}, processors {self.processors:#018x}"

    @property
    def _used(self) -> list[int]:
        return [index for index in range(self.processors.bit_length()) if self.processors >> index & 1]

    @property
    def _instances(self) -> list[int]:
        return sorted({processor // self.part.processors.per_instance for processor in self._used})

    @property
    def _passes(self) -> int:
        return ceil(self.shape[0] / len(self._used))

    def pack(self, signed: np.ndarray) -> dict[int, np.ndarray]:
        """The words of an input.

        Args:
            signed: int8 of the layout's shape.

        Returns:
            Arrays of uint32, by the number that the maker gives them: the first processor of the instance for
            HWC, the processor for CHW. Bytes that no channel has are 0.
        """
        if self.order is Order.HWC:
            return input_words(signed, self._used, self.part)
        planes = signed.reshape(self.shape[0], -1).view(np.uint8)
        padded = np.pad(planes, ((0, 0), (0, -planes.shape[1] % WORD_BYTES)))
        return dict(zip(self._used, padded.view("<u4"), strict=True))

    def unpack(self, arrays: Mapping[int, np.ndarray]) -> np.ndarray:
        """The input that words hold; the inverse of :meth:`pack`.

        Args:
            arrays: uint32, by any ascending numbers: with FIFOs the maker counts those and not the processors.

        Returns:
            int8 of the layout's shape.

        Raises:
            CameraError: the words are too many or too few, or more bytes are in use than the layout has.
        """
        pixels = self.shape[1] * self.shape[2]
        length = ceil(pixels / WORD_BYTES) if self.order is Order.CHW else pixels * self._passes
        found = [arrays[number] for number in sorted(arrays)]
        if [len(words) for words in found] != [length] * len(self._instances):
            counts = ", ".join(str(len(words)) for words in found)
            raise CameraError(
                f"a {self} input is {len(self._instances)} arrays of {length} words, but there are "
                f"{len(found)} (with {counts} words): give the true shape and layout"
            )
        if self.order is Order.CHW:
            planes = np.stack([words.astype("<u4").view(np.uint8) for words in found])
            planes, unused = planes[:, :pixels], planes[:, pixels:]
        else:
            planes, unused = self._channels(dict(zip(self._instances, found, strict=True)))
        if unused.any():
            raise CameraError(
                f"the words hold more than {self}: bytes are in use that belong to no channel; give the true shape"
            )
        return np.ascontiguousarray(planes).view(np.int8).reshape(self.shape)

    def _channels(self, words: dict[int, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Takes HWC words, by instance, apart: channels and the rest, both uint8 (.., pixels)."""
        each = self.part.processors.per_instance
        lanes = np.zeros((self.part.processors.count, self.shape[1] * self.shape[2], self._passes), np.uint8)
        for index, array in words.items():
            lanes[each * index :][:each] = _to_lanes(array, self._passes)
        # By pass and then by processor: the order of the channels.
        ordered = lanes[self._used].transpose(2, 0, 1).reshape(-1, lanes.shape[1])
        idle = np.delete(lanes, self._used, axis=0).reshape(-1, lanes.shape[1])
        return ordered[: self.shape[0]], np.concatenate((ordered[self.shape[0] :], idle))


def _to_lanes(words: np.ndarray, passes: int) -> np.ndarray:
    return np.moveaxis(words.astype("<u4").view(np.uint8).reshape(-1, passes, WORD_BYTES), -1, 0)
