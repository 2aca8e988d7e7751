"""Images upside down, against torchvision's."""

import pytest
import torch
from torchvision.transforms import functional

from maxexp.base.errors import ConfigError
from maxexp.data.augmentation.entries.vertical_flip import VerticalFlip
from tests.conftest import composed
from tests.data.test_augmentation import augment, noise_images


def test_flipped_images_are_torchvisions():
    images = noise_images()
    assert torch.equal(augment(images, vertical_flip=VerticalFlip(1.0)), functional.vflip(images))


def test_about_as_many_images_as_asked_for_are_flipped_and_the_others_stay():
    images = noise_images(2000, height=4, width=4)
    changed = augment(images, vertical_flip=VerticalFlip(0.25))
    stayed = (changed == images).flatten(1).all(1)
    assert 0.22 < (~stayed).float().mean() < 0.28
    assert torch.equal(changed[~stayed], images[~stayed].flip(2))


def test_it_is_chosen_on_the_command_line():
    config = composed("augmentation=basic", "augmentation.vertical_flip.probability=0.2").augmentation
    assert config.vertical_flip == VerticalFlip(0.2)
    with pytest.raises(ConfigError, match="augmentation.vertical_flip.probability=2"):
        VerticalFlip(2)
