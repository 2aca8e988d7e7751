"""Who leads, who is dead, and what becomes of a dead worker's trial."""

import gc
import json
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState

from maxexp.base import garbage
from maxexp.base.languages.override import override_value
from maxexp.sweep import coordinator
from maxexp.sweep.coordinator import Coordinator
from maxexp.sweep.workers import liveness
from maxexp.sweep.workers.attributes import BEAT, BEGUN, LEADER, LOST, REASON, RUN, STOPPED, TOTAL
from maxexp.sweep.workers.liveness import Leadership, Watch
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from maxexp.tracking.owner import HOST, NAMESPACE, PID, PROCESS_STARTED, identity
from tests.sweep.conftest import COST_ONLY, InlineWorkers, planned

ELSEWHERE = {HOST: "another", PID: "1", PROCESS_STARTED: "0.00"}


@pytest.fixture
def dead() -> dict[str, str]:
    """The identity of a process of this machine that has ended."""
    program = "import json; from maxexp.tracking.owner import identity; print(json.dumps(identity()))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(liveness.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def study(place) -> SweepStudy:
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    plan = planned("hydra.sweeper.trials=2", "hydra.sweeper.attempts=2", objectives, "seed=1,2,3", *COST_ONLY)
    return SweepStudy.create(plan.settings.storage, "study", plan)


def test_on_this_machine_death_is_seen_at_once(dead):
    watch = Watch(grace_s=1000)
    assert watch.dead("a", dead, 1)
    assert not watch.dead("b", identity(), 1)


def test_elsewhere_it_takes_a_time_without_a_sign_of_life(clock):
    watch = Watch(grace_s=50)
    assert not watch.dead("a", ELSEWHERE, 1)
    clock[0] += 49
    assert not watch.dead("a", ELSEWHERE, 1)
    assert not watch.dead("a", ELSEWHERE, 2)
    clock[0] += 49
    assert not watch.dead("a", ELSEWHERE, 2)
    clock[0] += 2
    assert watch.dead("a", ELSEWHERE, 2)


def test_a_container_of_the_same_name_is_elsewhere(dead, clock):
    watch = Watch(grace_s=50)
    container = {**dead, NAMESPACE: "pid:[1]"}
    assert not watch.dead("a", container, 1)
    clock[0] += 51
    assert watch.dead("a", container, 1)


def test_one_leads_until_it_gives_up_or_dies(study, monkeypatch, clock, dead):
    monkeypatch.setattr(liveness.time, "sleep", lambda _: None)
    first = Leadership(study)
    assert first.held() and first.held()
    monkeypatch.setattr(liveness, "identity", lambda: ELSEWHERE)
    second = Leadership(study)
    monkeypatch.undo()
    assert not second.held()
    first.give_up()
    study.study.set_user_attr(LEADER, {**dead, "beat": 1})
    third = Leadership(study)
    assert third.held()


@pytest.fixture
def follower(place, monkeypatch) -> Coordinator:
    """Takes part in a sweep that another host leads, which is as an earlier command left it: stopped."""
    plan = planned("hydra.sweeper.objectives={hw/latency_us:minimize}", "seed=1,2", *COST_ONLY)
    monkeypatch.setattr(coordinator, "make_launcher", InlineWorkers)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    study.study.set_user_attr(LEADER, {**ELSEWHERE, BEAT: 1})
    study.study.set_user_attr(BEGUN, {**ELSEWHERE, PID: "2"})
    study.study.set_user_attr(STOPPED, "no space left")
    study.study.set_user_attr(TOTAL, 0)
    return Coordinator(plan, "study")


def test_a_follower_waits_until_its_leader_has_begun(follower, monkeypatch):
    """To open the parent run takes seconds; until then the study speaks of the earlier command."""
    study = SweepStudy.open("sqlite:///mlruns/sweeps.db", "study")
    waited = []

    def leader_begins(seconds):
        waited.append(seconds)
        study.study.set_user_attr(STOPPED, None)
        study.study.set_user_attr(BEGUN, ELSEWHERE)

    monkeypatch.setattr(coordinator, "time", SimpleNamespace(sleep=leader_begins))
    follower.run()
    assert waited == [coordinator.TICK_S]


def test_the_command_to_go_on_can_be_copied_into_a_shell(place):
    storage = "sqlite:///my sweeps/sweeps (1).db"
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    plan = planned(objectives, "seed=1,2", f"hydra.sweeper.storage={override_value(storage)}", *COST_ONLY)
    command = Coordinator(plan, "study")._resume_command()
    assert shlex.split(command) == ["python", "-m", "maxexp.sweep", "resume", "study", "--storage", storage]


def test_garbage_is_collected_during_a_sweep(follower):
    """The command line pauses that while it imports; a sweep goes on for days."""
    SweepStudy.open("sqlite:///mlruns/sweeps.db", "study").study.set_user_attr(BEGUN, ELSEWHERE)
    garbage.pause()
    with pytest.raises(coordinator.SweepError, match="the sweep stopped: no space left"):
        follower.run()
    assert gc.isenabled()


def test_a_trial_comes_back_with_its_number_and_parameters_until_it_has_lost_too_many(study, dead):
    tickets = Tickets(study)
    tickets.update()
    trial = study.claim()
    point = dict(trial.params)
    study.storage.set_trial_user_attr(trial._trial_id, "worker", dead)
    tickets.update()
    assert study.trials()[0].state.name == "WAITING"
    again = study.claim()
    assert (again.number, again.params, again.user_attrs[LOST]) == (0, point, 1)
    assert study.owned(again)
    study.storage.set_trial_user_attr(again._trial_id, "worker", dead)
    assert not study.owned(again)
    tickets.update()
    frozen = study.trials()[0]
    assert frozen.state.name == "FAIL" and frozen.user_attrs[REASON] == "its worker died 2 times"
    # It does not count: as many as were asked for are still to come.
    assert sum(t.state.name == "WAITING" for t in study.trials()) == 2


def test_workers_that_were_stopped_by_force_have_not_died(study, dead):
    """Ctrl-C, however often it is given, costs no trial an attempt; what others work on is left to them."""
    Tickets(study).update()
    trial = study.claim()
    container = {**dead, NAMESPACE: "pid:[1]"}
    for owner, state in ((ELSEWHERE, "RUNNING"), (container, "RUNNING"), (dead, "WAITING"), (identity(), "WAITING")):
        study.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
        study.storage.set_trial_user_attr(trial._trial_id, "worker", owner)
        coordinator._give_back(study)
        assert study.trials()[0].state.name == state
    assert study.trials()[0].user_attrs[LOST] == 0


def test_a_trial_is_not_taken_from_a_worker_that_has_yet_to_write_its_name(study, dead):
    """On a database server a claim is two steps; here only the first has been done."""
    tickets = Tickets(study)
    tickets.update()
    trial = study.claim()
    study.storage.set_trial_user_attr(trial._trial_id, "worker", dead)
    tickets.update()
    study.storage.set_trial_state_values(trial._trial_id, TrialState.RUNNING)
    tickets.update()
    assert study.trials()[0].state.name == "RUNNING"


def test_a_living_workers_trial_is_left_alone(study):
    tickets = Tickets(study)
    tickets.update()
    assert study.claim().number == 0
    tickets.update()
    assert [t.state.name for t in study.trials()] == ["RUNNING", "WAITING"]


def test_a_later_twin_gives_way(study):
    Tickets(study).update()
    first = study.claim()
    study.study.enqueue_trial(dict(first.params))
    study.claim()
    twin = study.claim()
    assert study.twin(twin) == 0 and study.twin(first) is None


def test_a_run_that_was_finished_but_not_told_is_not_repeated(study, client, monkeypatch):
    """The worker was killed between the end of the run and the end of the trial."""
    from maxexp.sweep.workers import trial

    study.study.set_user_attr("maxexp.parent_run", "0" * 32)
    Tickets(study).update()
    claimed = study.claim()
    with monkeypatch.context() as patch:
        patch.setattr(trial.TrialRun, "_tell", lambda *_: None)
        assert trial.TrialRun(study, claimed, None).run() == "complete"
    run_id = study.trials()[0].user_attrs[RUN]
    study.put_back(study.trials()[0], lost=True)
    monkeypatch.setattr(trial, "execute", None)
    assert trial.TrialRun(study, study.claim(), None).run() == "complete"
    frozen = study.trials()[0]
    assert frozen.state.name == "COMPLETE" and frozen.user_attrs[RUN] == run_id
    assert frozen.values == [client.get_run(run_id).data.metrics["hw/latency_us"]]


@pytest.mark.parametrize("sampler", ["grid", "random"])
def test_the_one_failed_point_is_tried_once_more_under_each_command(place, sampler):
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    plan = planned(objectives, f"+sampler={sampler}", "seed=1,2", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    tickets = Tickets(study)
    tickets.update()
    failed = dict(study.claim().params)
    study.fail(study.trials()[0], "no space left")
    study.study.tell(study.claim(), [1.0])
    tickets.update()
    assert study.over()
    for _ in range(2):
        tickets = Tickets(study)
        tickets.update()
        assert not study.over()
        again = study.claim()
        assert again.params == failed and study.claim() is None
        study.fail(again, "no space left")
        tickets.update()
        assert study.over()
    tickets = Tickets(study)
    study.study.tell(study.claim(), [2.0])
    tickets.update()
    assert study.over()
    Tickets(study).update()
    assert study.over() and study.claim() is None


def test_a_given_point_that_is_being_claimed_is_not_asked_for_again(place):
    """Another process may look while the parameters of a trial are written one by one."""
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    plan = planned(objectives, "+sampler=grid", "seed=1,2", "model.width=1,2", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    tickets = Tickets(study)
    tickets.update()
    trial = study.claim()
    half = dict(list(trial.params.items())[:1])
    seen = study.trials()
    seen[0]._params = half
    assert tickets._total(seen) == 4 and not list(tickets._new_points(seen))
