"""The comparison of recipes compares one change at a time, and its table is that of its results."""

import importlib.util
import json
from dataclasses import replace
from pathlib import Path

import pytest

from maxexp.tracking.config import TrackingConfig
from tests.conftest import composed

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "recipes"
_SPEC = importlib.util.spec_from_file_location("measure_recipes", FOLDER / "measure.py")
measure = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(measure)


@pytest.mark.parametrize("name", measure.VARIANTS)
def test_each_variant_is_a_command_that_reads_no_test_images(name):
    config = composed(*measure.overrides(name), *measure.record_overrides(name, 1))
    assert config.tracking.run_name == name
    assert [stage.name for stage in config.stages] == ["train"]
    reference = composed(*measure.overrides(measure.REFERENCE), *measure.record_overrides(measure.REFERENCE, 1))
    same = replace(config, tracking=TrackingConfig()) == replace(reference, tracking=TrackingConfig())
    assert same == (name in (measure.REFERENCE, measure.REPEATED))


def test_the_readme_shows_the_results():
    results = json.loads((FOLDER / "results.json").read_text())
    assert measure.REFERENCE in results["variants"] and len(results["variants"]) > 1
    assert measure.table(results) in (FOLDER / "README.md").read_text()
