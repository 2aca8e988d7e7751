"""The schemas: what they refuse, and that the files in conf/ are complete and valid."""

import dataclasses
from pathlib import Path

import pytest
from omegaconf import OmegaConf
from omegaconf.errors import MissingMandatoryValue

from maxexp.base.errors import ConfigError
from maxexp.data.config import (
    AugmentationConfig,
    ColorJitterConfig,
    CutoutConfig,
    DatasetConfig,
    GaussianNoiseConfig,
    HorizontalFlipConfig,
    InputMapping,
    RandomCropConfig,
    RotationConfig,
)

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
def test_augmentation_file_is_valid_and_spells_out_every_key(name, on):
    loaded, config = read("augmentation", name, AugmentationConfig)
    fields = [field.name for field in dataclasses.fields(AugmentationConfig)]
    assert set(loaded) == set(fields)
    assert sum(getattr(config, field) is not None for field in fields) == on
    assert config.mapping is InputMapping.p128


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
        (lambda: RandomCropConfig(-1), "random_crop.padding"),
        (lambda: HorizontalFlipConfig(1.5), "horizontal_flip.probability"),
        (lambda: RotationConfig(-10), "rotation.degrees"),
        (lambda: RotationConfig(float("nan")), "rotation.degrees"),
        (lambda: ColorJitterConfig(brightness=-0.1), "color_jitter.brightness"),
        (lambda: ColorJitterConfig(contrast=float("inf")), "color_jitter.contrast"),
        (lambda: ColorJitterConfig(saturation=-1), "color_jitter.saturation"),
        (lambda: ColorJitterConfig(hue=0.6), "color_jitter.hue"),
        (lambda: GaussianNoiseConfig(25.5), "gaussian_noise.std"),
        (lambda: CutoutConfig(0), "cutout.size"),
    ],
)
def test_impossible_augmentation_value_is_refused_by_name(make, key):
    with pytest.raises(ConfigError, match=rf"^augmentation\.{key}=.*: must be .*$"):
        make()
