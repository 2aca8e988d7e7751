"""The schemas: what they refuse, and that the files in conf/ are complete and valid."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue

from maxexp.base.errors import ConfigError
from maxexp.data.augmentation.config import AugmentationConfig, InputMapping
from maxexp.data.augmentation.entries.color_jitter import ColorJitter
from maxexp.data.augmentation.entries.cutout import Cutout
from maxexp.data.augmentation.entries.gaussian_noise import GaussianNoise
from maxexp.data.augmentation.entries.horizontal_flip import HorizontalFlip
from maxexp.data.augmentation.entries.random_crop import RandomCrop
from maxexp.data.augmentation.entries.rotation import Rotation
from maxexp.data.augmentation.registry import all_entries
from maxexp.data.config import DatasetConfig
from tests.conftest import composed

CONF = Path(__file__).resolve().parents[2] / "conf"


def read(group, name, schema):
    """The file as it is, and as a typed object."""
    loaded = OmegaConf.load(CONF / group / f"{name}.yaml")
    return loaded, OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(schema), loaded))


@pytest.mark.parametrize("name", ["cifar10", "cifar100", "digits"])
def test_dataset_file_is_valid_and_spells_out_every_key(name):
    loaded, config = read("dataset", name, DatasetConfig)
    assert set(loaded) == {field.name for field in dataclasses.fields(DatasetConfig)}
    assert config.name == config.source.name == name


def test_images_file_asks_for_the_number_of_classes():
    with pytest.raises(MissingMandatoryValue, match="num_classes"):
        read("dataset", "images", DatasetConfig)


@pytest.mark.parametrize("name, on", [("none", 1), ("basic", 3), ("deck", 6)])
def test_augmentation_file_is_valid(name, on):
    config = composed(f"augmentation={name}").augmentation
    assert sum(getattr(config, field.name) is not None for field in dataclasses.fields(config)) == on
    assert config.mapping is InputMapping.p128


def test_the_file_without_augmentations_has_all_of_them():
    loaded, _ = read("augmentation", "none", AugmentationConfig)
    assert set(loaded) == {entry.name for entry in all_entries()} | {"normalize"}


def test_a_configuration_is_read_without_torch():
    """Whoever mistypes a key need not wait for it."""
    code = "import maxexp.data.augmentation.config, sys; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("folder", ["dataset", "augmentation"])
def test_every_key_has_a_comment(folder):
    for file in (CONF / folder).glob("*.yaml"):
        keys = [line for line in file.read_text().splitlines() if ":" in line and line != "defaults:"]
        uncommented = [line for line in keys if "#" not in line]
        assert uncommented == [], file


@pytest.mark.parametrize(
    "key, value",
    [
        ("name", "a/b"),
        ("name", ""),
        ("channels", 2),
        ("channels", 1),
        ("height", 0),
        ("width", 28),
        ("num_classes", 100),
        ("validation_images", 0),
        ("split_seed", -1),
        ("limit", 0),
    ],
)
def test_impossible_dataset_value_is_refused_by_name(cifar10, key, value):
    with pytest.raises(ConfigError, match=rf"^dataset\.{key}=.*: must be .*$"):
        dataclasses.replace(cifar10, **{key: value})


@pytest.mark.parametrize(
    "make, key",
    [
        (lambda: RandomCrop(-1), "random_crop.padding"),
        (lambda: HorizontalFlip(1.5), "horizontal_flip.probability"),
        (lambda: Rotation(-10), "rotation.degrees"),
        (lambda: Rotation(float("nan")), "rotation.degrees"),
        (lambda: ColorJitter(brightness=-0.1), "color_jitter.brightness"),
        (lambda: ColorJitter(contrast=float("inf")), "color_jitter.contrast"),
        (lambda: ColorJitter(saturation=-1), "color_jitter.saturation"),
        (lambda: ColorJitter(hue=0.6), "color_jitter.hue"),
        (lambda: GaussianNoise(25.5), "gaussian_noise.std"),
        (lambda: Cutout(0), "cutout.size"),
    ],
)
def test_impossible_augmentation_value_is_refused_by_name(make, key):
    with pytest.raises(ConfigError, match=rf"^augmentation\.{key}=.*: must be .*$"):
        make()
