"""Random colours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.data.augmentation.registry import Domain, augmentation

if TYPE_CHECKING:
    from torch import Generator, Tensor


@augmentation("color_jitter", Domain.values, order=20)
@frozen
@dataclass
class ColorJitter:
    """Random colours, with the meaning that torchvision's ColorJitter gives to each number.

    Attributes:
        brightness: factor uniform in [max(0, 1 - brightness), 1 + brightness]; 0 leaves it out.
        contrast: likewise.
        saturation: likewise.
        hue: shift uniform in [-hue, hue], in turns of the colour circle.
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.05

    def __post_init__(self) -> None:
        for key in ("brightness", "contrast", "saturation"):
            value = getattr(self, key)
            check(f"augmentation.color_jitter.{key}", value, 0 <= value < float("inf"), "must be 0 or more")
        check("augmentation.color_jitter.hue", self.hue, 0 <= self.hue <= 0.5, "must be 0 to 0.5")

    def __call__(self, values: Tensor, generator: Generator) -> Tensor:
        """Always in this order: brightness, contrast, saturation, hue."""
        from maxexp.data.augmentation import color
        from maxexp.data.augmentation.geometry import uniform

        for amount, adjust in (
            (self.brightness, color.adjust_brightness),
            (self.contrast, color.adjust_contrast),
            (self.saturation, color.adjust_saturation),
        ):
            if amount > 0:
                values = adjust(values, uniform(values, max(0.0, 1 - amount), 1 + amount, generator))
        if self.hue > 0:
            values = color.adjust_hue(values, uniform(values, -self.hue, self.hue, generator))
        return values
