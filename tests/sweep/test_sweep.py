"""Whole sweeps in this process, on networks that are costed and not trained."""

import csv
import io
import time
from pathlib import Path

import pytest
import yaml
from optuna.trial import TrialState

from maxexp.base.errors import ConfigError, TrainingError
from maxexp.chip.cost import network_cost
from maxexp.network.graph import build_network
from maxexp.run.composition import conf_dir
from maxexp.sweep.outcome.record import ParentRecord
from maxexp.sweep.planning import make_plan
from maxexp.sweep.workers.attributes import OVERHEAD
from maxexp.sweep.workers.results import pareto_set, results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from maxexp.sweep.workers.worker import work
from maxexp.tracking.metrics import METRICS
from tests.conftest import composed
from tests.sweep.conftest import COST_ONLY, planned

OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize,hw/macs_per_cycle:maximize}"
GRID = ("model.layers.conv1.out_channels=4,16,24", "model.layers.conv2.kernel_size=1,3")


def children(client, parent):
    experiments = [e.experiment_id for e in client.search_experiments()]
    return client.search_runs(experiments, f"tags.`mlflow.parentRunId` = '{parent}'")


def run_of(client, study):
    return client.get_run(study.attribute("maxexp.parent_run"))


def artifact(client, run, path):
    return open(client.download_artifacts(run.info.run_id, path)).read()


@pytest.fixture
def grid(sweep):
    return sweep("+sampler=grid", OBJECTIVES, *GRID, *COST_ONLY)


def test_a_grid_finds_what_brute_force_finds(grid, client):
    study, found = grid
    expected = {}
    for channels in (4, 16, 24):
        for kernel in (1, 3):
            config = composed(
                f"model.layers.conv1.out_channels={channels}", f"model.layers.conv2.kernel_size={kernel}"
            )
            cost = network_cost(build_network(config.model, config.dataset.shape), {}, config.device).metrics()
            expected[channels, kernel] = cost["hw/latency_us"], -cost["hw/macs_per_cycle"]
    front = {
        p for p, a in expected.items() if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in expected.values())
    }
    assert len(found) == 6 and all(r.outcome == "complete" for r in found)
    assert {tuple(r.params.values()): r.losses for r in found} == expected
    assert {tuple(r.params.values()) for r in pareto_set(found)} == front

    parent = run_of(client, study)
    assert parent.info.status == "FINISHED"
    runs = children(client, parent.info.run_id)
    assert {r.data.tags["sweep.trial"] for r in runs} == {str(n) for n in range(6)}
    assert {r.info.run_id for r in runs} == {r.run_id for r in found}
    for run in runs:
        result = found[int(run.data.tags["sweep.trial"])]
        assert run.info.status == "FINISHED" and run.data.tags["sweep.state"] == "complete"
        assert {name: run.data.metrics[name] for name in result.values} == result.values
        assert run.data.params["model.layers.conv2.kernel_size"] == str(
            result.params["model.layers.conv2.kernel_size"]
        )
    names = {e.path for e in client.list_artifacts(parent.info.run_id, "sweep")}
    pictures = {"pareto", "history", "parallel_coordinates", "hypervolume", "importances"}
    assert {f"sweep/{n}.png" for n in pictures} <= names
    # As a curve of metrics, later trials would go on with it under another scale.
    assert "sweep/hypervolume.json" in names and not any("hypervolume" in key for key in parent.data.metrics)
    # The sweep's line in the UI has the figures of its best trial, and its page all trials.
    first = pareto_set(found)[0]
    assert {name: parent.data.metrics[name] for name in first.values} == first.values
    assert parent.data.tags["sweep.best_trial"] == f"study, trial {first.number}"
    summary = artifact(client, parent, "summary.html")
    assert all(result.run_id in summary for result in found)
    assert study.study.metric_names == list(first.values)
    rows = list(csv.DictReader(io.StringIO(artifact(client, parent, "sweep/pareto.csv"))))
    assert {
        (int(r["model.layers.conv1.out_channels"]), int(r["model.layers.conv2.kernel_size"])) for r in rows
    } == front
    assert "**study**: 6 of 6 trials" in parent.data.tags["mlflow.note.content"]


def test_the_same_again_does_nothing_and_more_trials_go_on(sweep, place):
    arguments = (OBJECTIVES, *GRID, *COST_ONLY)
    _, first = sweep("hydra.sweeper.trials=3", *arguments)
    _, again = sweep("hydra.sweeper.trials=3", *arguments)
    assert again == first
    _, more = sweep("hydra.sweeper.trials=5", *arguments)
    assert more[:3] == first and [r.number for r in more] == [0, 1, 2, 3, 4]
    # A finite space has no more than its points.
    _, rest = sweep("hydra.sweeper.trials=50", *arguments)
    assert len({tuple(r.params.values()) for r in rest}) == len(rest) == 6
    assert all((place / "mlruns/sweeps/study" / f"{n:04d}" / "trial.log").is_file() for n in range(6))


def test_another_sweep_of_the_same_name_is_refused(sweep):
    sweep("hydra.sweeper.trials=1", OBJECTIVES, *GRID, *COST_ONLY)
    with pytest.raises(ConfigError, match="hydra.sweeper.study=study"):
        sweep("hydra.sweeper.trials=1", OBJECTIVES, "seed=1,2", *COST_ONLY)


def test_a_study_does_not_go_on_under_changed_configuration_files(place):
    """The command is the same, the network that it names is another."""
    file = place / "own" / "model" / "mine.yaml"
    file.parent.mkdir(parents=True)
    text = (Path(conf_dir()) / "model" / "digitsnet.yaml").read_text()
    settings = {"objectives": {"hw/latency_us": "minimize"}}

    def plan(**further):
        return make_plan({**settings, **further}, ["model=digitsnet,mine"], searchpath=[str(place / "own")])

    file.write_text(text)
    study = SweepStudy.create("sqlite:///sweeps.db", "study", plan())
    SweepStudy.create(study.url, "study", plan(trials=50))
    file.write_text(text.replace("out_channels: 16", "out_channels: 12"))
    for later in (plan(), SweepStudy.open(study.url, "study").plan):
        with pytest.raises(ConfigError, match=r"hydra.sweeper.study=study: [^\n]* configuration files; [^\n]*"):
            SweepStudy.create(study.url, "study", later)


def test_the_record_has_each_parameter_of_a_key_that_two_conditions_search(place, client):
    key = "model.layers.fc.bias"
    when = {
        f"model={model}": {key: values} for model, values in (("digitsnet", "true,false"), ("other", "false,true"))
    }
    file = place / "own" / "model" / "other.yaml"
    file.parent.mkdir(parents=True)
    file.write_text((Path(conf_dir()) / "model" / "digitsnet.yaml").read_text())
    settings = {"objectives": {"hw/latency_us": "minimize"}, "params": {"model": "digitsnet,other"}, "when": when}
    plan = make_plan(settings, ["stages=[synthesize]"], searchpath=[str(place / "own")])
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    with ParentRecord.open(study) as record:
        pass
    text = artifact(client, client.get_run(record.run_id), "sweep/study.yaml")
    assert list(yaml.safe_load(text)["space"]) == ["model", f"{key} [model=digitsnet]", f"{key} [model=other]"]


def test_limits_keep_trials_from_being_trained_and_teach_the_sampler(sweep, client, monkeypatch):
    """Training is replaced by an alarm."""
    from maxexp.sweep.workers import trial

    def alarm(*_):
        raise AssertionError("trained")

    monkeypatch.setattr(trial, "execute", alarm)
    study, found = sweep(
        "hydra.sweeper.trials=4",
        OBJECTIVES,
        "hydra.sweeper.limits=['hw/latency_us <= 0.5']",
        "model.width=choice(0.5,1,2,16)",
        *COST_ONLY,
    )
    assert [r.outcome for r in found] == ["infeasible"] * 4
    assert all("the limit hw/latency_us <= 0.5" in r.reason or "digitsnet" in r.reason for r in found if r.values)
    # Well under a second; the first one opens the store.
    assert all(result.seconds < 1 for result in found[1:])
    for result, frozen in zip(found, study.trials(), strict=True):
        assert frozen.state is TrialState.COMPLETE and max(frozen.constraints.values()) > 0
        run = client.get_run(result.run_id)
        assert run.info.status == "FINISHED" and run.data.tags["sweep.state"] == "infeasible"
        assert run.data.tags["infeasible"] == result.reason
        constraints = {k.removeprefix("constraint/"): v for k, v in run.data.metrics.items() if "constraint/" in k}
        assert constraints == pytest.approx(frozen.constraints)
    assert not pareto_set(found)
    assert not study.study.best_trials


def test_like_failures_in_a_row_stop_the_sweep_and_are_tried_again(place, client, monkeypatch):
    from maxexp.sweep.workers import trial

    plan = planned("hydra.sweeper.trials=5", "hydra.sweeper.stop_after_failures=2", OBJECTIVES, *GRID, *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    study.study.set_user_attr("maxexp.parent_run", "0" * 32)

    def broken(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(trial, "execute", broken)
        tickets = Tickets(study)
        tickets.update()
        for _ in range(2):
            claimed = study.claim()
            assert trial.TrialRun(study, claimed, None).run() == "failed"
        tickets.update()
    assert "2 trials in a row failed alike: OSError: [Errno 28] No space left" in study.attribute("maxexp.stopped")
    assert study.over() and work(study.url, "study") == 0
    run = client.get_run(study.trials()[0].user_attrs["run_id"])
    assert run.info.status == "FAILED" and "No space left" in run.data.tags["error"]
    # The cause is mended, and the command given again.
    Tickets(study).update()
    work(study.url, "study")
    trials = study.trials()
    states = [t.state.name for t in trials]
    assert states.count("FAIL") == 2 and states.count("COMPLETE") == 5
    complete = [tuple(t.params.values()) for t in trials if t.state.name == "COMPLETE"]
    assert len(set(complete)) == 5
    assert {tuple(t.params.values()) for t in trials if t.state.name == "FAIL"} <= set(complete)


def test_a_training_that_diverges_is_a_result_that_is_not_tried_again(sweep, client, monkeypatch):
    """Nor does it stop the sweep, however many do so in a row."""
    from maxexp.sweep.workers import trial

    reason = "training diverged in epoch 3, its loss is nan; lower recipe.learning_rate"

    def diverges(*_):
        raise TrainingError(reason)

    monkeypatch.setattr(trial, "execute", diverges)
    arguments = ("hydra.sweeper.trials=4", "hydra.sweeper.stop_after_failures=2", OBJECTIVES, *GRID, *COST_ONLY)
    study, found = sweep(*arguments)
    assert [(r.outcome, r.reason) for r in found] == [("pruned", reason)] * 4
    assert {t.state for t in study.trials()} == {TrialState.PRUNED}
    run = client.get_run(found[0].run_id)
    assert (run.info.status, run.data.tags["sweep.state"], run.data.tags["reason"]) == ("FINISHED", "pruned", reason)
    assert sweep(*arguments)[1] == found


def test_trainings_that_stay_behind_are_given_up_with_two_objectives(sweep, client, place):
    study, found = sweep(
        "+sampler=grid",
        "hydra.sweeper.objectives={val/best_accuracy:maximize,hw/latency_us:minimize}",
        "hydra.sweeper.pruning={warmup_epochs:1,rivals:1}",
        "recipe.learning_rate=choice(0.01,1e-7)",
        "stages=[train,synthesize]",
        "trainer.max_epochs=4",
        "tracking.system_metrics=false",
    )
    assert [r.outcome for r in found] == ["complete", "pruned"]
    assert [len(r.curve) for r in found] == [4, 2]
    assert study.trials()[1].state is TrialState.PRUNED
    run = client.get_run(found[1].run_id)
    assert run.info.status == "FINISHED" and run.data.tags["sweep.state"] == "pruned"
    assert run.data.tags["stage.train"] == "pruned"
    curve = client.get_metric_history(run.info.run_id, "val/accuracy")
    assert {str(m.step): m.value for m in curve} == found[1].curve
    assert [r.number for r in pareto_set(found)] == [0]
    # What an interrupted training would go on from is of no use to either.
    assert list(place.rglob("trial.log")) and not list(place.rglob("resume-*.ckpt"))
    assert {e.path for e in client.list_artifacts(found[0].run_id, "checkpoints")} == {
        f"checkpoints/{phase}_best.pth.tar" for phase in ("float", "qat")
    }
    whole = client.get_run(found[0].run_id).data.metrics
    assert set(whole) <= set(METRICS), "all can be objectives"
    # The next draws are not disturbed by it.
    assert [r.outcome for r in results(resampled(study))][:2] == ["complete", "pruned"]


def resampled(study):
    """A TPE sampler that has seen pruned trials of two objectives."""
    from maxexp.sweep.search.sampling import make_sampler

    study.study.sampler = make_sampler({"_target_": "optuna.samplers.TPESampler", "n_startup_trials": 1}, 9)
    trial = study.study.ask()
    trial.suggest_categorical("recipe.learning_rate", [0.01, 1e-7])
    study.study.tell(trial, [0.5, 1.0])
    return study


def test_the_pareto_set_gets_a_second_phase(sweep, client, capsys):
    study, found = sweep(
        "hydra.sweeper.trials=4",
        "hydra.sweeper.final={overrides:['model.layers.fc.bias=false'],most:2}",
        OBJECTIVES,
        *GRID,
        *COST_ONLY,
    )
    final = SweepStudy.open(study.url, "study.final")
    chosen = results(final)
    front = [r.params for r in pareto_set(found)]
    assert [r.params for r in chosen] == [front[0], front[-1]][: len(front)]
    parent = run_of(client, study)
    runs = children(client, parent.info.run_id)
    assert len(runs) == len(found) + len(chosen)
    of_final = [r for r in runs if r.data.tags["sweep.study"] == "study.final"]
    assert {r.data.params["model.layers.fc.bias"] for r in of_final} == {"false"}
    assert {e.path for e in client.list_artifacts(parent.info.run_id, "sweep/final")} >= {"sweep/final/pareto.csv"}
    assert "**study.final**: 2 of 2 trials" in parent.data.tags["mlflow.note.content"]
    output = capsys.readouterr().out
    assert "trial 3 (4/4) complete: latency" in output and "maxexp.sweep show study" in output


def test_the_sweeps_own_time_does_not_grow(place):
    """With 300 finished trials in the study, a claim takes no longer than with none, within a small factor."""
    from optuna.trial import create_trial

    plan = planned(
        "hydra.sweeper.trials=700", "+sampler=random", OBJECTIVES, "model.width=interval(0.1,1)", *COST_ONLY
    )
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    Tickets(study).update()

    def seconds() -> float:
        taken = []
        for _ in range(5):
            begin = time.perf_counter()
            assert study.claim() is not None
            taken.append(time.perf_counter() - begin)
        return sorted(taken)[2]

    before = seconds()
    (parameter,) = plan.space.parameters
    study.study.add_trials(
        [
            create_trial(
                values=[i, i],
                params={"model.width": 0.2 + i / 1000},
                distributions={"model.width": parameter.distribution},
            )
            for i in range(300)
        ]
    )
    study.trials()
    after = seconds()
    assert after < 3 * before + 0.05, f"{before:.3f} s with none, {after:.3f} s with 300 finished trials"


def test_overheads_are_recorded(grid):
    study, _ = grid
    assert all(t.user_attrs[OVERHEAD] < 60 for t in study.trials())
