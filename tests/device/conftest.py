"""The two devices."""

import pytest
from omegaconf import OmegaConf

from maxexp.__main__ import conf_dir
from maxexp.device.config import DeviceConfig


@pytest.fixture(scope="session")
def max78000() -> DeviceConfig:
    return _device("max78000")


@pytest.fixture(scope="session")
def max78002() -> DeviceConfig:
    return _device("max78002")


def _device(name: str) -> DeviceConfig:
    return OmegaConf.to_object(
        OmegaConf.merge(OmegaConf.structured(DeviceConfig), OmegaConf.load(f"{conf_dir()}/device/{name}.yaml"))
    )
