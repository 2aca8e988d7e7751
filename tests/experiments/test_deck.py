"""The published rows of the studies against the figures that were handed down with the deck, cell by cell."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from maxexp.base.shipped import experiments_dir, zoo_dir
from maxexp.run.checkpoints import ZOO
from maxexp.study.description import read_study
from maxexp.study.plan import make_job

# Key and factor by which the deck's figures become those of a study's columns: shares, microseconds, bytes.
MEANINGS = {
    "accuracy": ("accuracy", 0.01),
    "accuracy_gain": ("gain", 0.01),
    "time_ms": ("latency", 1000),
    "time_us": ("latency", 1),
    "memory_kb": ("memory", 1000),
    "speedup_over_stm32": ("speedup", 1),
    "throughput": ("throughput", None),
}
FIGURES = (*MEANINGS, "parameters", "macs", "images_per_s", "macs_per_cycle", "epochs")
OF_STUDY = {
    "cifar10_papers": ("cifar10_papers", "cifar10"),
    "cifar10_quantization": ("cifar10_quantization", None),
    "cifar100": ("cifar100", "cifar100"),
}
"""Table of each study, and the data set of SimpleNet's paper that it shows."""


@pytest.fixture(scope="module")
def tables(data_root) -> dict[str, list[dict[str, Any]]]:
    return yaml.safe_load((Path(data_root).parent / "reference_results.yaml").read_text())["tables"]


def single(row: dict[str, Any]) -> list[dict[str, Any]]:
    """A row as one for each figure of a range, or for each architecture."""
    figures = {key: value for key, value in row.items() if key in FIGURES}
    whole = [{**figures, "accuracy": value} for key, value in row.items() if key.startswith("accuracy_arch")]
    if whole:
        return whole
    count = max((len(value) for value in figures.values() if isinstance(value, list)), default=1)
    return [{k: v[i] if isinstance(v, list) else v for k, v in figures.items()} for i in range(count)]


def published(row: dict[str, Any]) -> dict[str, Any]:
    """The row's figures by the keys and in the units of the studies."""
    values = {}
    for key, value in row.items():
        name, factor = MEANINGS.get(key, (key, 1))
        values[name] = f"{value}/s" if factor is None else pytest.approx(value * factor, rel=1e-12)
    return values


@pytest.mark.parametrize("name", OF_STUDY)
def test_every_row_and_figure_of_the_deck_is_there_and_none_besides(name, tables):
    study = read_study(experiments_dir() / name / "study.yaml")
    table, paper = OF_STUDY[name]
    rows = tables[table] + [row for row in tables["simplenet_paper"] if row["dataset"] == paper]
    expected = [published(each) for row in rows for each in single(row)]
    found = [dict(reference.values) for reference in study.references.values()]
    for row in expected:
        assert row in found
    assert len(expected) == len(found)
    shown = {key for key, column in study.columns.items() if not column.hidden}
    assert {key for row in found for key in row} <= shown


def test_the_chart_has_the_figures_of_the_tables():
    of_tables = [
        dict(reference.values)
        for name in OF_STUDY
        for reference in read_study(experiments_dir() / name / "study.yaml").references.values()
    ]
    for reference in read_study(experiments_dir() / "synthesized_models" / "study.yaml").references.values():
        figures = {key: value for key, value in reference.values.items() if key != "data"}
        assert any(figures.items() <= row.items() for row in of_tables), reference.label


@pytest.mark.parametrize("name", [*OF_STUDY, "synthesized_models"])
def test_notes_say_how_long_the_teachers_were_trained(name):
    """Published networks had none, so the epochs of ours are not comparable without."""
    study = read_study(experiments_dir() / name / "study.yaml")
    key = "recipe.distillation.checkpoint"
    params = {entry: make_job(study, entry, study.seeds_of(entry)[0], "0").identity.params for entry in study.entries}
    taught = {entry: values[key] for entry, values in params.items() if key in values}
    assert all("without a teacher" in study.entries[entry].label for entry in params.keys() - taught.keys())
    for teacher in set(taught.values()):
        card = yaml.safe_load((zoo_dir() / teacher.removeprefix(ZOO) / "card.yaml").read_text())
        assert re.search(rf"\b{card['training']['epochs']}\b", study.notes), teacher
