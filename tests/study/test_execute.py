"""What counts as done, and running what is not."""

import json
import logging
import re
import sys
from dataclasses import replace
from itertools import permutations
from subprocess import CompletedProcess
from types import SimpleNamespace

import pytest
from mlflow.entities import Dataset, DatasetInput
from PIL import Image

from maxexp.base.errors import ConfigError, StudyError
from maxexp.base.shipped import experiments_dir
from maxexp.cli.study import main, parse
from maxexp.run.execution import start_record
from maxexp.schema.identity import Identity
from maxexp.study import execute
from maxexp.study.description import read_study
from maxexp.study.execute import State, run_missing, standings
from maxexp.study.plan import make_job
from maxexp.study.records import RESULTS, Results, deleted, find_recorded, result_of
from maxexp.study.report import write_report
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.owner import HOST
from maxexp.tracking.store import open_store
from tests.conftest import composed
from tests.images import OVERRIDES, image_folder
from tests.study.small import result, small


def test_entries_of_a_study_are_different_runs():
    """Each pair of the project's own, for what is taken for another is never trained."""
    study = read_study(experiments_dir() / "augmentation_impact" / "study.yaml")
    identities = [make_job(study, name, 1, None).identity for name in study.entries]
    assert all(a.first_mismatch(b) for a, b in permutations(identities, 2))


def test_a_key_that_a_run_had_not_yet_is_a_difference_unless_it_has_its_default(tmp_path, monkeypatch):
    """Runs of before the teacher looked at mirror images were taken for runs in which it does."""
    recorded = {}
    for mirror in ("true", "false"):
        overrides = ["recipe=distill", "recipe.distillation.checkpoint=x", f"recipe.distillation.mirror={mirror}"]
        job = make_job(small(tmp_path, overrides=overrides), "float", 1, None)
        before = {key: value for key, value in job.identity.params.items() if not key.endswith("mirror")}
        recorded[mirror] = job.identity.first_mismatch(Identity(before)) is None
    assert recorded == {"true": False, "false": True}


def test_runs_on_other_images_are_other_runs(tmp_path, store, monkeypatch):
    """The same folder elsewhere holds the same; another, or one that has changed since, does not."""
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))
    cats, flowers = image_folder(tmp_path / "cats", 0), image_folder(tmp_path / "flowers", 100)
    asked = {folder: own_images(tmp_path, folder) for folder in (cats, flowers)}
    run_id = record(store, asked[cats], "RUNNING")
    store.client.log_inputs(run_id, recorded_inputs(asked[cats].identity.data))
    store.client.set_terminated(run_id, "FINISHED")
    moved = cats.rename(tmp_path / "moved")
    assert [run.run_id for run in find_recorded(store, own_images(tmp_path, moved))] == [run_id]
    assert find_recorded(store, asked[flowers]) == []
    results = Results(tmp_path / RESULTS)
    results.add(result_of(asked[cats], find_recorded(store, asked[cats])[0]))
    assert results.find(own_images(tmp_path, moved)) and not results.find(asked[flowers])
    Image.new("L", (8, 8), 7).save(moved / "a" / "0.png")
    assert find_recorded(store, own_images(tmp_path, moved)) == []


def own_images(folder, images):
    entry = {"label": "own", "overrides": [*OVERRIDES, "stages=[train,evaluate]", f"dataset.root={images}"]}
    study = small(folder, overrides=[], entries={"own": entry}, references={}, columns={}, findings=[], charts={})
    return make_job(study, "own", 1, None)


def recorded_inputs(data):
    """As the store keeps digests: their beginnings."""
    return [DatasetInput(Dataset(name, digest[:36], "local", name)) for name, digest in data.items()]


def test_published_images_are_the_same_everywhere(tmp_path):
    study = small(tmp_path, overrides=["dataset.limit=200", "dataset.root=/elsewhere"])
    known = replace(result("float", 1, 0.9, small(tmp_path)), data={"digits-train": "0" * 36})
    results = Results(tmp_path / RESULTS)
    results.add(known)
    assert results.find(make_job(study, "float", 1, None)) == known


def test_a_run_that_a_sweep_gave_up_is_none_of_the_study(tmp_path, store):
    """A pruned trial has finished, as MLflow sees it."""
    study = small(tmp_path)
    run_id = record(store, make_job(study, "float", 1, None), "FINISHED")
    for state, expected in (("pruned", State.missing), ("infeasible", State.missing), ("complete", State.done)):
        store.client.set_tag(run_id, "sweep.state", state)
        assert next(standings(study, Results(tmp_path / RESULTS), store)).state is expected


def test_results_survive_in_their_file_and_old_versions_do_not_count(tmp_path):
    study = small(tmp_path)
    job = make_job(study, "float", 1, None)
    path = tmp_path / RESULTS
    Results(path).add(result("float", 1, 0.9, study))
    assert Results(path).find(job).metrics["test/accuracy_float"] == 0.9
    Results(path).add(result("float", 1, 0.8, study, **{"maxexp.results": "0"}))
    assert Results(path).find(job) is None
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.parametrize("text", ["<<<<<<< HEAD\n[]\n", '[{"entry": "float"}]', "3"])
def test_a_damaged_file_of_results_is_named(tmp_path, text):
    (tmp_path / RESULTS).write_text(text)
    with pytest.raises(StudyError, match="results.json is damaged: .*; restore it") as caught:
        Results(tmp_path / RESULTS)
    assert "\n" not in str(caught.value)


@pytest.fixture
def store(tmp_path):
    return open_store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))


def record(store, job, status: str) -> str:
    """A run of a job as it is after it was started, and ended with a status."""
    config = composed(*job.overrides, f"tracking.uri={store.uri}", "tracking.system_metrics=false")
    run = start_record(config, job.overrides)
    store.client.log_metric(run.run_id, "test/accuracy_float", 0.9)
    if status != "RUNNING":
        store.client.set_terminated(run.run_id, status)
    return run.run_id


@pytest.mark.parametrize(
    "status, state",
    [
        ("FINISHED", State.done),
        ("RUNNING", State.running),
        ("KILLED", State.interrupted),
        ("FAILED", State.failed),
        (None, State.missing),
    ],
)
def test_the_store_says_where_a_run_stands(tmp_path, store, status, state):
    study = small(tmp_path)
    run_id = record(store, make_job(study, "float", 1, None), status) if status else None
    results = Results(tmp_path / RESULTS)
    first, second, ptq = standings(study, results, store)
    assert (first.state, second.state) == (state, State.missing)
    assert ptq.state is (State.missing if state is State.done else State.waiting)
    assert first.run_id == (None if state is State.done else run_id)
    assert len(results.files) == (state is State.done)


def test_a_run_that_is_deleted_later_stays_in_the_table_and_is_named(tmp_path, store):
    study = small(tmp_path)
    run_id = record(store, make_job(study, "float", 1, None), "FINISHED")
    folder = tmp_path / "small"
    write_report("small", study, Results(folder / RESULTS), store, folder)
    store.client.delete_run(run_id)
    text = write_report("small", study, Results(folder / RESULTS), store, folder)
    assert "| [float](#float) | [90.00 %](#float) |" in text and "| 1 run, seed 2 missing |" in text
    assert f"run {run_id}" in text and "deleted in the tracking store since" in text


def test_a_run_that_is_deleted_before_it_was_reported_is_missing(tmp_path, store):
    study = small(tmp_path)
    store.client.delete_run(record(store, make_job(study, "float", 1, None), "FINISHED"))
    assert {each.state for each in standings(study, Results(tmp_path / RESULTS), store)} == {
        State.missing,
        State.waiting,
    }


def test_runs_of_another_store_are_not_called_deleted(store):
    assert deleted([result("float", 1, 0.9)], store) == set()


def test_the_command_repeats_the_run_and_names_no_place(tmp_path, store):
    """What the caller of the study added changes figures' last digits, so it belongs to the command."""
    study = small(tmp_path)
    job = make_job(study, "float", 1, None)
    run_id = record(store, job, "FINISHED")
    typed = [*job.overrides, f"tracking.uri={store.uri}", "trainer.threads=1", "dataset.root=/data"]
    store.client.log_text(run_id, json.dumps(typed), "config/overrides.yaml")
    found = next(standings(study, Results(tmp_path / RESULTS), store)).result
    assert found.command.endswith("trainer.max_epochs=1 seed=1 trainer.threads=1")


def test_a_run_goes_on_where_that_can_end_otherwise(tmp_path, store, monkeypatch):
    """80 epochs are not trained again because the board was not there."""
    study = small(tmp_path)
    job = make_job(study, "float", 1, None)
    commands = []

    def run(command):
        commands.append(command)
        return CompletedProcess(command, 1)

    monkeypatch.setattr(execute, "subprocess", SimpleNamespace(run=run))
    for status, checkpoint, error, resumes in (
        ("KILLED", False, "", True),
        ("FAILED", True, "BoardError: no board", True),
        ("FAILED", False, "DataError: no such folder", False),
        ("FAILED", True, "TrainingError: training diverged in epoch 3", False),
    ):
        run_id = record(store, job, status)
        store.client.set_tag(run_id, "error", error)
        if checkpoint:
            store.client.log_text(run_id, "", "checkpoints/resume-0.ckpt")
        run_missing(study, Results(tmp_path / RESULTS), store, [], ["float"])
        assert commands[-2][3:-1] == ([f"resume={run_id}"] if resumes else list(job.overrides)), error
        store.client.delete_run(run_id)


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("dataset.limit=100", "dataset.limit"),
        ("seed=2", "seed"),
        ("recipe=distill", "recipe"),
        ("model.layers.more={op: conv2d, out_channels: 4}", "model.layers.more"),
    ],
)
def test_what_changes_results_is_refused_before_the_first_run(tmp_path, store, monkeypatch, override, key):
    def run(command):
        raise AssertionError("trained")

    monkeypatch.setattr(execute, "subprocess", SimpleNamespace(run=run))
    with pytest.raises(ConfigError, match=f"^{key}[^\n]*: another value changes the results[^\n]*$"):
        run_missing(small(tmp_path), Results(tmp_path / RESULTS), store, ["trainer.threads=1", override], ["float"])


def test_how_a_machine_is_used_and_costs_are_backed_is_handed_on(tmp_path, monkeypatch):
    """To a store whose folder has a name that Hydra would take for something else."""
    store = open_store(TrackingConfig(uri=f"sqlite:///{tmp_path}/my runs (new)/mlflow.db"))
    commands = []

    def run(command):
        commands.append(command)
        return CompletedProcess(command, 1)

    monkeypatch.setattr(execute, "subprocess", SimpleNamespace(run=run))
    machine = ["trainer.threads=1", "synthesis=ai8x", "board=emulated", f"hydra.run.dir={tmp_path}/out"]
    assert run_missing(small(tmp_path), Results(tmp_path / RESULTS), store, machine, ["float"]) == 2
    assert [command[-len(machine) :] for command in commands] == [machine] * 2
    assert composed(*commands[0][3:]).tracking.uri == store.uri


def test_what_runs_on_another_host_is_not_done_and_its_end_is_explained(tmp_path, store, caplog):
    """Its process may have died: nobody here can tell."""
    study = small(tmp_path)
    run_id = record(store, make_job(study, "float", 1, None), "RUNNING")
    store.client.set_tag(run_id, HOST, "another")
    results = Results(tmp_path / RESULTS)
    results.add(result("float", 2, 0.9, study))
    with caplog.at_level(logging.INFO):
        assert run_missing(study, results, store, [], ["float"]) == 1
    assert f"python -m maxexp resume={run_id} tracking.uri={store.uri}" in caplog.text


@pytest.mark.slow
def test_a_study_runs_what_is_missing_and_nothing_twice(tmp_path, store, caplog):
    study = small(tmp_path)
    path = tmp_path / "small" / RESULTS
    assert [each.state for each in standings(study, Results(path), store)] == [
        State.missing,
        State.missing,
        State.waiting,
    ]
    machine = ["trainer.threads=1", f"hydra.run.dir={tmp_path}/${{now:%f}}"]
    assert run_missing(study, Results(path), store, machine, []) == 0
    # A file that was lost is made again from the store, and nothing is run.
    for results in (Results(path), Results(tmp_path / "lost.json")):
        assert [each.state for each in standings(study, results, store)] == [State.done] * 3
    with caplog.at_level(logging.INFO):
        assert run_missing(study, Results(path), store, machine, []) == 0
    assert [record.message for record in caplog.records if record.name == "maxexp.study.execute"] == [
        "float seed 1: done",
        "float seed 2: done",
        "ptq seed 1: done",
    ]
    before = [each.result.run_id for each in standings(study, Results(path), store)]
    assert run_missing(study, Results(path), store, machine, ["ptq"], again=True) == 0
    after = [each.result.run_id for each in standings(study, Results(path), store)]
    assert before[:2] == after[:2] and before[2] != after[2]
    text = write_report("small", study, Results(path), store, path.parent)
    assert "**confirmed**: the deck is slower" in text
    pictures = [(path.parent / name).read_bytes() for name in ("chart.png", "chart.svg")]
    write_report("small", study, Results(path), store, path.parent)
    assert pictures == [(path.parent / name).read_bytes() for name in ("chart.png", "chart.svg")], "no change in git"


def test_chosen_entries_may_be_followed_by_overrides():
    arguments = parse(["run", "small", "trainer.threads=1", "--only", "float,ptq", "trainer.progress=false"])
    assert arguments.only == ["float", "ptq"]
    assert arguments.overrides == ["trainer.threads=1", "trainer.progress=false"]
    for words in (["status", "small", "trainer.threads=1"], ["run", "small", "--onyl", "float"]):
        with pytest.raises(SystemExit):
            parse(words)


def test_status_without_a_name_lists_the_studies(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["study", "status"])
    assert main() == 0
    *lines, more = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} == {p.parent.name for p in experiments_dir().glob("*/study.yaml")}
    (cifar100,) = [line for line in lines if line.startswith("cifar100 ")]
    assert re.search(r" (\d+) of \1 runs have results  NASCifarNet", cifar100)
    assert more.endswith("status NAME")


def test_an_entry_that_is_not_there_is_refused(tmp_path, store):
    with pytest.raises(StudyError, match="flaot: no such entry; there are float, "):
        run_missing(small(tmp_path), Results(tmp_path / RESULTS), store, [], ["flaot"])
