"""A storage that fails for a while: trainings go on, trials come back, nothing of it counts as a failure."""

import sqlite3
from pathlib import Path

import pytest
from optuna.exceptions import StorageInternalError

from maxexp.sweep.search.sampling import DistinctSampler
from maxexp.sweep.workers import trial, worker
from maxexp.sweep.workers.attributes import CURVE, LOST, OUTCOME, PARENT_RUN, REASON, RUN
from maxexp.sweep.workers.storage import StorageError, open_storage
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from maxexp.sweep.workers.worker import work
from maxexp.tracking.artifacts import CONFIGURATION
from tests.sweep.conftest import COST_ONLY, planned

OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize}"


def begun(*arguments: str) -> SweepStudy:
    plan = planned("hydra.sweeper.trials=1", OBJECTIVES, "seed=1,2,3", *arguments)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    study.study.set_user_attr(PARENT_RUN, "0" * 32)
    Tickets(study).update()
    return study


def fails(*_):
    raise StorageInternalError("connection refused")


def test_an_epoch_that_cannot_be_noted_is_no_reason_to_end_a_training(place, monkeypatch, caplog):
    pruning = ("hydra.sweeper.pruning={warmup_epochs:1,rivals:1}", "stages=[train,synthesize]")
    study = begun(*pruning, "tracking.system_metrics=false")
    run = trial.TrialRun(study, study.claim(), None)
    with monkeypatch.context() as patch:
        patch.setattr(study.storage, "set_trial_user_attr", fails)
        for epoch in range(2):
            run._prune({"val/accuracy": 0.5}, epoch)
    assert [r.message for r in caplog.records] == [
        "trial 0 trains on without its rivals: StorageInternalError: connection refused"
    ]
    run._prune({"val/accuracy": 0.6}, 2)
    assert study.trials()[0].user_attrs[CURVE] == {"0": 0.5, "1": 0.5, "2": 0.6}


@pytest.mark.parametrize(("named", "expected"), [((), 3), (("++trainer.threads=2",), 2), (("trainer.threads=2",), 2)])
def test_a_worker_gives_its_threads_to_a_configuration_that_names_none(place, monkeypatch, client, named, expected):
    study, threads = begun(*COST_ONLY, *named), []

    def carried_out(pipeline, record):
        threads.append(pipeline.spec.config.trainer.threads)
        record.log_metrics({"hw/latency_us": 7.0})

    monkeypatch.setattr(trial, "execute", carried_out)
    assert trial.TrialRun(study, study.claim(), 3).run() == "complete"
    run = client.get_run(study.trials()[0].user_attrs[RUN])
    assert threads == [expected] and run.data.params["trainer.threads"] == str(expected)


def test_each_machine_keeps_its_own_places(place, monkeypatch):
    mine, theirs = (planned("seed=1,2,3", OBJECTIVES, f"synthesis.path=/{name}") for name in ("mine", "theirs"))
    study, _ = (SweepStudy.create(plan.settings.storage, "study", plan) for plan in (mine, theirs))
    study.study.set_user_attr(PARENT_RUN, "0" * 32)
    Tickets(study).update()
    paths = []

    def carried_out(pipeline, record):
        paths.append(pipeline.spec.config.synthesis.path)
        record.log_metrics({"hw/latency_us": 7.0})

    monkeypatch.setattr(trial, "execute", carried_out)
    Tickets(study).update()
    work(study.url, "study", plan=study.plan)
    assert paths == ["/mine"] * 3


@pytest.mark.parametrize(
    ("revision", "part"),
    [
        ("0123456789ab", "another program's; give the sweep a database of its own"),
        ("v2.6.0.a", "optuna storage upgrade"),
    ],
)
def test_a_database_of_another_schema_is_refused_in_one_line(tmp_path, revision, part):
    """MLflow's own, or one of an older Optuna."""
    with sqlite3.connect(tmp_path / "other.db") as database:
        database.execute("create table alembic_version (version_num varchar(32) not null)")
        database.execute("insert into alembic_version values (?)", (revision,))
    with pytest.raises(StorageError, match="^cannot use storage sqlite:///[^\n]*$") as caught:
        open_storage(f"sqlite:///{tmp_path}/other.db")
    assert part in str(caught.value)


def test_a_sampler_that_cannot_draw_fails_the_trial_not_the_worker(place, monkeypatch):
    study = begun(*COST_ONLY)
    with monkeypatch.context() as patch:
        patch.setattr(DistinctSampler, "sample_relative", lambda *_: 1 / 0)
        assert study.claim() is None
    (frozen,) = study.trials()
    assert frozen.user_attrs[REASON] == "no parameters could be drawn: ZeroDivisionError: division by zero"
    Tickets(study).update()
    assert study.claim() is not None


def test_a_folder_that_cannot_be_written_fails_the_trial_not_the_worker(place):
    study = begun(*COST_ONLY)
    Path(study.plan.settings.dir).parent.mkdir(exist_ok=True)
    Path(study.plan.settings.dir).touch()
    worker._execute(study, study.claim(), 0.0, None)
    (frozen,) = study.trials()
    assert (frozen.state.name, frozen.user_attrs[OUTCOME]) == ("FAIL", "failed")
    assert "NotADirectoryError" in frozen.user_attrs[REASON]


def test_a_trial_that_the_storage_ended_is_gone_on_with_in_its_run(place, monkeypatch, client):
    study = begun(*COST_ONLY)
    monkeypatch.setattr(trial, "execute", fails)
    for _ in range(study.plan.settings.attempts):
        with pytest.raises(StorageError, match="fails: connection refused; the same command goes on later"):
            work(study.url, "study")
        (frozen,) = study.trials()
        assert (frozen.state.name, frozen.user_attrs[LOST]) == ("WAITING", 0)
    run_id = frozen.user_attrs[RUN]
    assert client.get_run(run_id).info.status == "FAILED"
    resumed = []

    def carried_out(pipeline, record):
        resumed.append(record.run_id if record.resumed else None)
        record.log_metrics({"hw/latency_us": 7.0})

    monkeypatch.setattr(trial, "execute", carried_out)
    assert work(study.url, "study") == 1 and resumed == [run_id]
    (frozen,) = study.trials()
    assert (frozen.user_attrs[OUTCOME], frozen.user_attrs[RUN], frozen.values) == ("complete", run_id, [7.0])
    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_trial_whose_worker_ended_at_once_gets_its_configuration_later(place, monkeypatch, client):
    study = begun(*COST_ONLY)

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(trial, "log_configuration", interrupted)
        work(study.url, "study")
    run_id = study.trials()[0].user_attrs[RUN]
    assert not client.list_artifacts(run_id, CONFIGURATION)
    work(study.url, "study")
    assert study.trials()[0].user_attrs[RUN] == run_id
    names = {Path(entry.path).name for entry in client.list_artifacts(run_id, CONFIGURATION)}
    assert {"resolved.yaml", "overrides.yaml"} <= names


def test_a_trial_that_failed_by_itself_is_not_gone_on_with(place, monkeypatch, client):
    """Even if its worker died before it could tell the study."""

    def broken(*_):
        raise OSError(28, "No space left on device")

    study = begun(*COST_ONLY)
    monkeypatch.setattr(trial, "execute", broken)
    with monkeypatch.context() as patch:
        patch.setattr(trial.TrialRun, "_tell", lambda *_: None)
        assert trial.TrialRun(study, study.claim(), None).run() == "failed"
    study.put_back(study.trials()[0], lost=True)
    monkeypatch.setattr(trial, "execute", None)
    assert trial.TrialRun(study, study.claim(), None).run() == "failed"
