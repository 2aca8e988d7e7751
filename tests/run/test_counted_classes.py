"""The number of classes of a user's own images is counted in their folders."""

from dataclasses import replace

import pytest

from maxexp.base.errors import ConfigError
from maxexp.run.composition import compose_config, described_network
from tests.images import image_folder

SMALL = ("model=digitsnet", "dataset=images", "dataset.height=8", "dataset.width=8", "dataset.channels=1")


def test_folders_of_classes(tmp_path):
    folder = image_folder(tmp_path / "pictures", 0)
    config = compose_config([*SMALL, f"dataset.root={folder}"])
    assert config.dataset.num_classes == 2 and described_network(config).out_features == 2
    (folder / "c").mkdir()
    assert compose_config([*SMALL, f"dataset.root={folder}"]) == config, "a folder without images is no class"
    (folder / "a" / "0.png").rename(folder / "c" / "0.png")
    for name in ("train", "test"):
        image_folder(tmp_path / "divided" / name, 0)
    divided = compose_config([*SMALL, f"dataset.root={tmp_path / 'divided'}"])
    assert divided == replace(config, dataset=replace(config.dataset, root=str(tmp_path / "divided")))


def test_a_number_that_is_given_stays(tmp_path):
    assert compose_config([*SMALL, f"dataset.root={tmp_path}", "dataset.num_classes=7"]).dataset.num_classes == 7


def test_parquet(data_root):
    config = compose_config([*SMALL, "dataset.name=cifar10", f"dataset.root={data_root}"])
    assert config.dataset.num_classes == 10


def test_without_images(tmp_path):
    with pytest.raises(ConfigError, match="dataset.num_classes: a value is needed; .*: No images data in") as caught:
        compose_config([*SMALL, f"dataset.root={tmp_path}"])
    assert "\n" not in str(caught.value)
