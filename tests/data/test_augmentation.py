"""Augmentation: each entry does what it says, image by image, from its generator alone."""

import math

import pytest
import torch
from torchvision.transforms import functional

from maxexp.data.augmentation.augment import BatchAugmentation
from maxexp.data.augmentation.color import (
    adjust_brightness,
    adjust_contrast,
    adjust_hue,
    adjust_saturation,
)
from maxexp.data.augmentation.config import AugmentationConfig, InputMapping, NormalizeConfig
from maxexp.data.augmentation.entries.color_jitter import ColorJitter
from maxexp.data.augmentation.entries.cutout import Cutout
from maxexp.data.augmentation.entries.gaussian_noise import GaussianNoise
from maxexp.data.augmentation.entries.horizontal_flip import HorizontalFlip
from maxexp.data.augmentation.entries.random_crop import RandomCrop
from maxexp.data.augmentation.entries.rotation import Rotation
from maxexp.data.augmentation.geometry import crop_and_flip, rotate
from maxexp.data.augmentation.pixels import evaluation_input

DECK = {
    "random_crop": RandomCrop(4),
    "horizontal_flip": HorizontalFlip(0.5),
    "rotation": Rotation(10),
    "color_jitter": ColorJitter(),
    "gaussian_noise": GaussianNoise(0.1),
    "normalize": NormalizeConfig(InputMapping.p128),
}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def noise_images(count=16, channels=3, height=12, width=10):
    return torch.randint(0, 256, (count, channels, height, width), dtype=torch.uint8, generator=seeded(99))


def pixels_of(inputs):
    """Back from the network's p128 input to pixels."""
    return (inputs * 128 + 128).to(torch.uint8)


def augment(images, seed=0, **entries):
    return pixels_of(BatchAugmentation(AugmentationConfig(**entries))(images, seeded(seed)))


def shifts_of(image, moved, padding):
    """All (row, column, mirrored) by which the padded image gives exactly `moved`."""
    padded = torch.nn.functional.pad(image, (padding,) * 4)
    _, height, width = image.shape
    found = []
    for row in range(2 * padding + 1):
        for column in range(2 * padding + 1):
            window = padded[:, row : row + height, column : column + width]
            found += [(row, column, False)] * torch.equal(window, moved)
            found += [(row, column, True)] * torch.equal(window.flip(2), moved)
    return found


def test_certain_flip_is_the_mirror_image():
    images = noise_images()
    assert torch.equal(augment(images, horizontal_flip=HorizontalFlip(1.0)), images.flip(3))


def test_flip_mirrors_about_as_many_as_asked_for():
    images = noise_images(2000, 1, 4, 4)
    flipped = augment(images, horizontal_flip=HorizontalFlip(0.25))
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    same = (flipped == images).flatten(1).all(1)
    assert (mirrored ^ same).all()
    assert abs(mirrored.float().mean() - 0.25) < 4 * math.sqrt(0.25 * 0.75 / 2000)


def test_crop_and_flip_move_whole_pixels_each_image_by_its_own_draw():
    images = noise_images(64)
    moved = crop_and_flip(images, 3, 0.5, seeded())
    found = [shifts_of(image, result, 3) for image, result in zip(images, moved, strict=True)]
    assert all(len(candidates) == 1 for candidates in found)
    rows, columns, mirrored = (set(values) for values in zip(*(f[0] for f in found), strict=True))
    assert rows == columns == set(range(7))
    assert mirrored == {False, True}
    assert len({candidates[0] for candidates in found}) > 30


def test_what_moves_in_is_black():
    white = torch.full((64, 1, 8, 8), 255, dtype=torch.uint8)
    inputs = BatchAugmentation(AugmentationConfig(random_crop=RandomCrop(2)))(white, seeded())
    assert inputs.unique().tolist() == [-1.0, 127 / 128]


def test_the_crop_stays_exact_when_the_rotation_is_on():
    images = noise_images(8)
    entries = {"random_crop": RandomCrop(2), "rotation": Rotation(0)}
    for image, moved in zip(images, augment(images, **entries), strict=True):
        assert len(shifts_of(image, moved, 2)) == 1


def test_no_rotation_is_the_identity():
    images = noise_images()
    assert torch.equal(augment(images, rotation=Rotation(0)), images)


def test_rotation_turns_a_picture_of_any_aspect_as_torchvision_does(monkeypatch):
    images = noise_images(2, height=12, width=20).float()
    angle = torch.tensor([30.0, -75.0]).deg2rad().view(2, 1, 1, 1)
    monkeypatch.setattr("maxexp.data.augmentation.geometry.uniform", lambda *_: angle)
    turned = rotate(images, 90, seeded())
    for image, result, degrees in zip(images, turned, (30.0, -75.0), strict=True):
        mode = functional.InterpolationMode.BILINEAR
        assert torch.allclose(result, functional.rotate(image, degrees, mode), atol=0.01)


def test_rotation_differs_within_a_batch_and_stays_within_its_degrees():
    # A bright spot 10 pixels right of the centre moves along a circle; its angle can be read off.
    images = torch.zeros(200, 1, 31, 31)
    images[:, :, 14:17, 24:27] = 255
    turned = rotate(images, 20, seeded())[:, 0]
    offsets = torch.arange(31.0) - 15
    rows = (turned.sum(2) * offsets).sum(1)
    columns = (turned.sum(1) * offsets).sum(1)
    angles = torch.atan2(rows, columns).rad2deg()
    assert angles.abs().max() < 20.5
    assert angles.max() > 15 and angles.min() < -15


def test_noise_has_the_deviation_that_was_asked_for():
    gray = torch.full((32, 3, 16, 16), 128, dtype=torch.uint8)
    noisy = augment(gray, gaussian_noise=GaussianNoise(0.1)).float() / 255
    assert abs(noisy.std() - 0.1) < 0.002
    assert abs(noisy.mean() - 128 / 255) < 0.003
    assert (noisy[0] != noisy[1]).float().mean() > 0.9


@pytest.mark.parametrize("extreme", [0, 255])
def test_noise_stops_at_black_and_white(extreme):
    images = torch.full((8, 1, 16, 16), extreme, dtype=torch.uint8)
    noisy = augment(images, gaussian_noise=GaussianNoise(0.05)).int()
    assert (noisy - extreme).abs().max() < 0.3 * 255
    assert 0.4 < (noisy == extreme).float().mean() < 0.6


@pytest.mark.parametrize(
    "ours, theirs, factors",
    [
        (adjust_brightness, functional.adjust_brightness, (0.0, 0.6, 1.0, 1.7)),
        (adjust_contrast, functional.adjust_contrast, (0.0, 0.6, 1.0, 1.7)),
        (adjust_saturation, functional.adjust_saturation, (0.0, 0.6, 1.0, 1.7)),
        (adjust_hue, functional.adjust_hue, (-0.5, -0.1, 0.0, 0.3)),
    ],
)
@pytest.mark.parametrize("channels", [1, 3])
def test_colours_change_as_torchvision_changes_them(ours, theirs, factors, channels):
    images = noise_images(len(factors), channels).float()
    images[:, :, :2] = images[:, :1, :2]  # gray pixels, which have no hue
    result = ours(images, torch.tensor(factors).view(-1, 1, 1, 1))
    for image, changed, factor in zip(images, result, factors, strict=True):
        assert torch.allclose(changed / 255, theirs(image / 255, factor), atol=1e-4)


def test_jitter_draws_a_factor_per_image_within_bounds():
    gray = torch.full((500, 1, 2, 2), 100.0)
    jitter = ColorJitter(brightness=0.4, contrast=0, saturation=0, hue=0)
    factors = jitter(gray, seeded())[:, 0, 0, 0] / 100
    assert 0.6 <= factors.min() < 0.65 and 1.35 < factors.max() <= 1.4
    assert len(factors.unique()) > 400


def test_saturation_and_hue_leave_gray_images_alone():
    images = noise_images(channels=1)
    jitter = ColorJitter(brightness=0, contrast=0, saturation=0.9, hue=0.5)
    assert torch.equal(augment(images, color_jitter=jitter), images)


def test_cutout_covers_one_square_of_each_image():
    images = noise_images(200, 3, 20, 24)
    images[images == 128] = 127
    holes = (augment(images, cutout=Cutout(6)) == 128).all(1)
    assert torch.equal((augment(images, cutout=Cutout(6)) != images).any(1), holes)
    corners = set()
    for hole in holes:
        rows, columns = hole.any(1).nonzero().flatten(), hole.any(0).nonzero().flatten()
        assert 3 <= len(rows) <= 6 and 3 <= len(columns) <= 6
        assert torch.equal(hole, hole.any(1)[:, None] & hole.any(0))
        assert torch.equal(rows, torch.arange(rows[0], rows[-1] + 1))
        corners.add((int(rows[0]), int(columns[0])))
    assert len(corners) > 100


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("normalize", [None, *map(NormalizeConfig, InputMapping)])
def test_the_result_is_a_signed_byte_over_128(channels, normalize):
    images = noise_images(64, channels)
    inputs = BatchAugmentation(AugmentationConfig(**(DECK | {"normalize": normalize})))(images, seeded())
    signed = inputs * 128
    assert inputs.dtype == torch.float32 and inputs.shape == images.shape
    assert torch.equal(signed, signed.round())
    assert signed.min() >= (0 if normalize is None else -128) and signed.max() <= 127
    assert inputs.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("name", sorted(set(DECK) - {"normalize"}))
def test_each_entry_changes_images_alone_and_can_be_left_out(name):
    images = noise_images()
    whole = augment(images, **DECK)
    assert not torch.equal(augment(images, **{name: DECK[name]}), images)
    assert not torch.equal(augment(images, **(DECK | {name: None})), whole)


def test_nothing_on_is_the_evaluation_input():
    images = noise_images()
    generator = seeded()
    state = generator.get_state()
    inputs = BatchAugmentation(AugmentationConfig())(images, generator)
    assert torch.equal(inputs, evaluation_input(images, InputMapping.p128))
    assert torch.equal(generator.get_state(), state)


def test_the_generator_is_the_only_source_of_randomness():
    images = noise_images()
    before, state = images.clone(), torch.get_rng_state()
    first = augment(images, seed=1, **DECK)
    torch.rand(3)
    assert torch.equal(augment(images, seed=1, **DECK), first)
    assert not torch.equal(augment(images, seed=2, **DECK), first)
    torch.set_rng_state(state)
    augment(images, **DECK)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images, before)
