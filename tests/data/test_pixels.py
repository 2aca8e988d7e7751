"""Input mappings against the formulas that define them."""

import pytest
import torch

from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import evaluation_input, map_pixels

PIXELS = torch.arange(256, dtype=torch.uint8)
FORMULAS = {
    InputMapping.p128: lambda p: p - 128,
    InputMapping.ai8x: lambda p: min(max(round((p / 255 - 0.5) * 256), -128), 127),
    None: lambda p: p // 2,
}


@pytest.mark.parametrize("mapping", FORMULAS)
def test_every_pixel_value(mapping):
    mapped = map_pixels(PIXELS, mapping)
    assert mapped.dtype == torch.int8
    assert mapped.tolist() == [FORMULAS[mapping](p) for p in range(256)]


def test_ai8x_is_what_the_makers_training_computes():
    # ToTensor, then ai8x.normalize: .sub(0.5).mul(256).round().clamp(-128, 127)
    maker = (PIXELS.float() / 255).sub(0.5).mul(256).round().clamp(-128, 127)
    assert torch.equal(map_pixels(PIXELS, InputMapping.ai8x).float(), maker)


@pytest.mark.parametrize("mapping", FORMULAS)
@pytest.mark.parametrize("channels", [1, 3])
def test_evaluation_input_is_the_mapped_pixel_over_128(mapping, channels):
    images = PIXELS.view(1, 1, 16, 16).expand(2, channels, 16, 16)
    before = images.clone()
    inputs = evaluation_input(images, mapping)
    assert inputs.dtype == torch.float32
    assert torch.equal(inputs * 128, map_pixels(images, mapping).float())
    assert torch.equal(images, before)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
