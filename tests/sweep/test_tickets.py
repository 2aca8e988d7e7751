"""As many trials as were asked for, and no point twice, however a sweep is begun again and whoever takes part."""

import threading
from collections import Counter
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState

from maxexp.sweep.outcome.progress import progress_line
from maxexp.sweep.workers import study as study_module
from maxexp.sweep.workers.attributes import LOST, OUTCOME, WORKER
from maxexp.sweep.workers.results import results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from maxexp.tracking.owner import PID, identity
from tests.sweep.conftest import COST_ONLY, planned

OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize}"


def opened(trials: int, space: str = "seed=range(0,1000)") -> SweepStudy:
    plan = planned(OBJECTIVES, "+sampler=random", f"hydra.sweeper.trials={trials}", space, *COST_ONLY)
    return SweepStudy.create(plan.settings.storage, "study", plan)


def states(study: SweepStudy) -> Counter:
    return Counter(t.state.name for t in study.trials() if t.user_attrs.get(OUTCOME) != "withdrawn")


def test_what_is_tried_again_takes_the_place_of_what_was_yet_to_come(place):
    study = opened(10)
    tickets = Tickets(study)
    tickets.update()
    failed = [study.claim() for _ in range(3)]
    for trial in failed:
        study.fail(trial, "no space left")
    study.study.tell(study.claim(), [1.0])
    tickets.update()
    for _ in range(2):
        tickets = Tickets(study)
        tickets.update()
        assert states(study) == {"WAITING": 9, "COMPLETE": 1, "FAIL": 3}
    while trial := study.claim():
        study.study.tell(trial, [2.0])
        tickets.update()
    assert states(study) == {"COMPLETE": 10, "FAIL": 3} and study.over()
    tried = [t.params for t in study.trials() if t.state is TrialState.COMPLETE]
    assert all(trial.params in tried for trial in failed)


def test_fewer_trials_than_before_withdraw_tickets_that_nobody_has_begun(place):
    study = opened(10)
    Tickets(study).update()
    for _ in range(2):
        study.claim()
    study.put_back(study.trials()[1], lost=False)
    running = study.trials()[0]
    Tickets(opened(3)).update()
    kept = [t.number for t in study.trials() if t.state is TrialState.WAITING]
    assert kept == [1, 2] and LOST in study.trials()[1].user_attrs
    study.study.tell(running.number, [1.0])
    # More again: new ones, for those that were withdrawn had no point yet.
    Tickets(opened(5)).update()
    assert states(study) == {"COMPLETE": 1, "WAITING": 4}


@pytest.fixture
def server(monkeypatch) -> None:
    """As on a database server: nobody waits while another draws."""

    @contextmanager
    def unlocked(url):
        yield False

    monkeypatch.setattr(study_module, "storage_lock", unlocked)


def half_claimed(study: SweepStudy) -> int:
    """Id of trial 0, taken by a worker that has yet to draw its point."""
    trial_id = study.trials()[0]._trial_id
    assert study.storage.set_trial_state_values(trial_id, TrialState.RUNNING)
    return trial_id


def test_a_ticket_that_is_withdrawn_while_a_worker_looks_at_it_is_not_taken(place, server):
    study = opened(2)
    Tickets(study).update()
    seen = study.trials()
    study.withdraw(seen[0])
    study.withdraw(seen[0])
    assert not study._take(seen[0]) and study._take(seen[1])
    study.withdraw(seen[1])
    assert [t.state.name for t in study.trials()] == ["FAIL", "RUNNING"]


def test_of_two_that_draw_the_same_point_at_once_the_later_gives_way(place, server):
    """Whoever is slower: the later one has looked before the earlier one has drawn."""
    study = opened(2, "seed=1,2")
    Tickets(study).update()
    first = half_claimed(study)
    later = study.claim()
    (parameter,) = study.plan.space.parameters
    value = parameter.distribution.to_internal_repr(later.params["seed"])

    other = SweepStudy.open(study.url, "study")
    other.trials()  # a storage writes to trials that it has seen
    slow = threading.Timer(1, other.storage.set_trial_param, (first, "seed", value, parameter.distribution))
    slow.start()
    assert study.twin(later) == 0
    slow.join()
    assert study.twin(study.trials()[0]) is None


def test_a_worker_that_died_while_it_drew_holds_nobody_up_for_ever(place, server, monkeypatch):
    study = opened(2, "seed=1,2")
    Tickets(study).update()
    half_claimed(study)
    later = study.claim()
    slept = []
    clock = SimpleNamespace(sleep=slept.append, monotonic=lambda: sum(slept))
    monkeypatch.setattr(study_module, "time", clock)
    monkeypatch.setattr(study_module, "DRAWING_S", 7)
    assert study.twin(later) is None
    assert sum(slept) == pytest.approx(study.plan.settings.grace_s, abs=7)


def test_a_trial_that_was_interrupted_is_called_so_and_goes_on(place, sweep, capsys):
    arguments = (OBJECTIVES, "hydra.sweeper.trials=3", "seed=1,2,3", *COST_ONLY)
    plan = planned(*arguments)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    Tickets(study).update()
    assert "0 of 3 trials (none begun)" in progress_line(study, results(study))
    first = study.claim()
    assert "0 of 3 trials (1 running)" in progress_line(study, results(study))
    first.set_user_attr(WORKER, {**identity(), PID: str(2**22 + 1)})  # no process has such a number
    assert "0 of 3 trials (1 interrupted); nobody works on it" in progress_line(study, results(study))
    study.put_back(first, lost=False)
    assert "0 of 3 trials (1 interrupted); nobody works on it" in progress_line(study, results(study))
    _, found = sweep(*arguments)
    assert "sweep study: going on, 0 trials ended, 1 interrupted, workers 1" in capsys.readouterr().out
    assert found[0].params == first.params and [r.outcome for r in found] == ["complete"] * 3
    sweep(*arguments)
    assert "sweep study: going on, 3 trials ended, 0 interrupted" in capsys.readouterr().out
