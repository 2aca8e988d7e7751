"""Committed results in a store that has never seen their runs."""

from dataclasses import replace

import pytest

from maxexp.base.shipped import experiments_dir
from maxexp.cli.study import main
from maxexp.report.comparison.collect import select_runs
from maxexp.schema.repeat import repeat_command
from maxexp.study.execute import State, standings
from maxexp.study.records import RESULTS, Results, result_of
from maxexp.study.restore import restore
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import RESTORED, find_runs, read_run
from maxexp.tracking.store import open_store
from tests.study.small import result, small


@pytest.fixture
def config(tmp_path):
    return TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db")


def with_curve(study):
    curves = {"val/accuracy": [(0, 0.25), (1, 0.5)], "train/loss": [(0, 2.0), (1, 1.5)]}
    metrics = {"val/accuracy": 0.5, "train/loss": 1.5, "test/accuracy_float": 0.75}
    data = {"digits-train": "12ab", "digits-test": "34cd"}
    return replace(result("float", 1, 0.75, study), metrics=metrics, curves=curves, data=data)


def test_a_restored_run_says_what_was_committed(tmp_path, config):
    """Read back as a study reads its runs, it is the same result."""
    study = small(tmp_path)
    committed = with_curve(study)
    (run_id,) = restore("small", [committed], config)
    run = read_run(open_store(config), run_id)
    job = next(standings(study, Results(tmp_path / RESULTS), None)).job
    again = result_of(job, run)
    for part in ("params", "metrics", "curves", "data"):
        assert dict(getattr(again, part)) == dict(getattr(committed, part))
    assert run.status == "FINISHED"
    assert run.name == "digitsnet float seed=1 (small)"
    assert run.tags[RESTORED] == committed.run_id
    assert run.tags["hw.source"] == "estimated"
    assert repeat_command(run) == committed.command
    assert committed.command in run.tags["mlflow.note.content"]


def test_nothing_is_restored_twice_nor_beside_the_run_itself(tmp_path, config):
    committed = with_curve(small(tmp_path))
    (run_id,) = restore("small", [committed], config)
    assert restore("another", [committed], config) == []
    assert restore("small", [replace(committed, run_id=run_id)], config) == []


def test_a_restored_run_is_no_run_of_a_study(tmp_path, config):
    """It has no network that another entry could start from, so a study without its results is run anew."""
    study = small(tmp_path)
    restore("small", [with_curve(study)], config)
    assert next(standings(study, Results(tmp_path / RESULTS), open_store(config))).state is State.missing


def test_the_command_restores_what_the_project_has_published(config, monkeypatch):
    words = ["study", "--tracking-uri", config.uri, "restore", "synthesized_models", "cifar10_quantization"]
    monkeypatch.setattr("sys.argv", words)
    assert main() == 0
    published = {
        each.run_id: each.metrics["test/accuracy_float"]
        for name in words[-2:]
        for each in Results(experiments_dir() / name / RESULTS).all
    }
    runs = find_runs(open_store(config), "")
    assert {run.tags[RESTORED]: run.metrics["test/accuracy_float"] for run in runs} == published


def test_a_study_without_results_is_refused(config, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["study", "--tracking-uri", config.uri, "restore", "no_such_study"])
    assert main() == 1
    assert "no_such_study" in capsys.readouterr().err


def test_a_restored_run_is_found_by_the_id_that_was_published(tmp_path, config):
    """Commands of results.md name the runs of another store."""
    committed = with_curve(small(tmp_path))
    (run_id,) = restore("small", [committed], config)
    runs, notes = select_runs(open_store(config), [committed.run_id], None)
    assert [run.run_id for run in runs] == [run_id]
    assert not notes
