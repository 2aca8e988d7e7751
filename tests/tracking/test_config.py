from dataclasses import fields
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from maxexp.base.errors import ConfigError
from maxexp.tracking import TrackingConfig

REPOSITORY = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "key, value",
    [
        ("uri", " "),
        ("run_name", ""),
        ("experiment", ""),
        ("experiment", "x" * 501),
        ("system_metrics_interval_s", 0),
        ("system_metrics_interval_s", float("nan")),
    ],
)
def test_bad_value_names_its_key(key, value):
    with pytest.raises(ConfigError, match=rf"^tracking\.{key} must[^\n]*$"):
        TrackingConfig(**{key: value})


def test_yaml_has_the_keys_and_defaults_of_the_schema():
    written = OmegaConf.load(REPOSITORY / "conf/tracking/default.yaml")
    assert set(written) == {field.name for field in fields(TrackingConfig)}
    written.experiment = TrackingConfig().experiment  # in the file it follows the data set
    merged = OmegaConf.merge(OmegaConf.structured(TrackingConfig), written)
    assert OmegaConf.to_object(merged) == TrackingConfig()
