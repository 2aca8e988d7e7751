"""A trial that is interrupted has not failed, whatever a library makes of the interruption."""

import pytest

from maxexp.sweep import coordinator
from maxexp.sweep.workers import trial
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking import Terminated
from tests.base.test_interruptions import as_hydra_does
from tests.sweep.conftest import COST_ONLY, InlineWorkers, planned


@pytest.mark.parametrize("name", ["compose_config", "judge", "execute"])
def test_a_trial_that_sigterm_interrupts_goes_back_to_the_queue(place, monkeypatch, client, name):
    monkeypatch.setattr(coordinator, "make_launcher", InlineWorkers)
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    plan = planned(objectives, "hydra.sweeper.trials=2", "seed=range(0,9)", *COST_ONLY)
    with monkeypatch.context() as patch:
        patch.setattr(trial, name, lambda *_, **__: as_hydra_does(Terminated("SIGTERM")))
        with pytest.raises(KeyboardInterrupt):
            coordinator.Coordinator(plan, f"interrupted-{name}").run()
    study = SweepStudy.open(plan.settings.storage, f"interrupted-{name}")
    assert {each.state.name for each in study.trials()} == {"WAITING"}
    runs = [each.user_attrs.get("run_id") for each in study.trials()]
    assert {client.get_run(run).info.status for run in runs if run} <= {"KILLED"}
    coordinator.Coordinator(plan, f"interrupted-{name}").run()
    assert [each.state.name for each in study.trials()] == ["COMPLETE", "COMPLETE"]
