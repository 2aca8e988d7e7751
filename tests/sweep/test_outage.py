"""Sweeps whose tracking server is away at random moments; trials of a fraction of a second."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from maxexp.base.errors import OutageError
from maxexp.sweep import coordinator
from maxexp.sweep.workers.attributes import GIVEN_BACK, LOST
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking import outbox, patience
from tests.servers.mlflow_app import running
from tests.servers.stand_in import Fault, StandIn
from tests.sweep.conftest import COST_ONLY


def space(trials: int) -> tuple[str, ...]:
    """The command line of a sweep of so many trials."""
    return (
        "hydra.sweeper.objectives={hw/latency_us:minimize}",
        f"seed=range(0,{trials})",
        "+sampler=grid",
        *COST_ONLY,
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("server")) as url:
        yield url


@pytest.fixture
def stand_in(server, place: Path, monkeypatch) -> Iterator[StandIn]:
    """In front of the server; what takes seconds in use takes milliseconds."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "2")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for module, name, seconds in (
        (outbox, "LEAST_PAUSE_S", 0.05),
        (outbox, "WORK_PER_ATTEMPT", 0.1),
        (patience, "FIRST_PAUSE_S", 0.05),
        (patience, "LONGEST_PAUSE_S", 0.2),
    ):
        monkeypatch.setattr(module, name, seconds)
    with StandIn(server) as stand_in:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", stand_in.url)
        yield stand_in


def fail_now_and_then(stand_in: StandIn, draw: random.Random, requests: int) -> None:
    """One outage of each kind within about so many requests, at random moments, each of a random time."""
    moments = sorted(draw.sample(range(8, requests), len(Fault)))
    faults = dict(zip(moments, draw.sample(list(Fault), len(Fault)), strict=True))

    def before(number: int) -> None:
        if number in faults:
            stand_in.fail(faults[number])
            threading.Timer(draw.uniform(0.1, 2.5), stand_in.heal).start()

    stand_in.before = before


def check(client: MlflowClient, name: str, place: Path, trials: int) -> None:
    """Each trial complete, in one run that has everything and is finished, as the sweep's is."""
    study = SweepStudy.open("sqlite:///mlruns/sweeps.db", name)
    assert [t.state.name for t in study.trials()] == ["COMPLETE"] * trials
    experiment = client.get_experiment_by_name("digits").experiment_id
    runs = client.search_runs([experiment], f"tags.`sweep.study` = '{name}'")
    assert [run.info.status for run in runs] == ["FINISHED"] * (trials + 1)
    of_trials = {run.data.tags["sweep.trial"]: run for run in runs if "sweep.trial" in run.data.tags}
    assert len(of_trials) == trials
    for run in of_trials.values():
        assert {"hw/latency_us", "hw/cycles"} <= run.data.metrics.keys()
        assert run.data.params["model.name"] == "digitsnet" and run.data.tags["sweep.state"] == "complete"
        paths = {
            entry.path for f in ("config", "synthesis", "") for entry in client.list_artifacts(run.info.run_id, f)
        }
        assert {
            "config/resolved.yaml",
            "config/overrides.yaml",
            "config/requirements.txt",
            "synthesis/cost.json",
            "synthesis/memory_map.png",
            "synthesis/network.yaml",
            "summary.html",
        } <= paths
    (parent,) = (run for run in runs if "sweep.trial" not in run.data.tags)
    assert {entry.path for entry in client.list_artifacts(parent.info.run_id, "sweep")} >= {"sweep/trials.csv"}
    assert parent.data.metrics["sweep/complete"] == trials
    assert not list(place.glob("maxexp-unsent-*"))


@pytest.mark.parametrize("trials", [3, pytest.param(12, marks=pytest.mark.slow)])
def test_a_server_that_fails_in_every_way_costs_a_sweep_nothing(sweep, stand_in, server, place, trials):
    fail_now_and_then(stand_in, random.Random(trials), 20 * trials)
    sweep(*space(trials), name=f"outage{trials}")
    check(MlflowClient(server), f"outage{trials}", place, trials)


def test_a_trial_that_cannot_begin_is_given_back(sweep, stand_in, monkeypatch):
    """And the sweep says why it ends, and goes on with the same command."""
    planned = (*space(3), "tracking.patience_s=0.3", "hydra.sweeper.attempts=1")
    monkeypatch.setattr(coordinator, "TICK_S", 0.01)

    def before(number: int) -> None:
        if number == 60:
            stand_in.fail(Fault.error)

    stand_in.before = before
    with pytest.raises(OutageError, match="the server answers 500"):
        sweep(*planned, name="gone")
    stand_in.heal()
    study = SweepStudy.open("sqlite:///mlruns/sweeps.db", "gone")
    given_back = [t for t in study.trials() if t.user_attrs.get(GIVEN_BACK)]
    assert given_back and all(t.state.name == "WAITING" and t.user_attrs[LOST] == 0 for t in given_back)
    assert not any(t.state.name == "FAIL" for t in study.trials())
    _, found = sweep(*planned, name="gone")
    assert [result.outcome for result in found] == ["complete"] * 3
