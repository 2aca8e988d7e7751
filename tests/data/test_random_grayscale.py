"""Random grayscale against torchvision's."""

import pytest
import torch
from torchvision.transforms import functional

from maxexp.base.errors import ConfigError
from maxexp.data.augmentation.entries.random_grayscale import RandomGrayscale
from tests.conftest import composed
from tests.data.test_augmentation import augment, noise_images


def test_gray_images_are_torchvisions():
    images = noise_images()
    ours, theirs = augment(images, random_grayscale=RandomGrayscale(1.0)), functional.rgb_to_grayscale(images, 3)
    # Theirs is cut to whole numbers, ours is rounded.
    assert (ours.int() - theirs.int()).abs().max() <= 1
    assert torch.equal(ours[:, 0], ours[:, 1]) and torch.equal(ours[:, 0], ours[:, 2])


def test_about_as_many_images_as_asked_for_become_gray_and_the_others_stay():
    images = noise_images(2000, height=4, width=4)
    changed = augment(images, random_grayscale=RandomGrayscale(0.25))
    gray = (changed == changed[:, :1]).flatten(1).all(1)
    assert 0.22 < gray.float().mean() < 0.28
    assert torch.equal(changed[~gray], images[~gray])


def test_images_of_one_channel_stay():
    images = noise_images(channels=1)
    assert torch.equal(augment(images, random_grayscale=RandomGrayscale(1.0)), images)


def test_it_is_chosen_on_the_command_line():
    config = composed("augmentation=basic", "augmentation.random_grayscale.probability=0.2").augmentation
    assert config.random_grayscale == RandomGrayscale(0.2)
    with pytest.raises(ConfigError, match="augmentation.random_grayscale.probability=2"):
        RandomGrayscale(2)
