"""Presets and commands: each one's plan is made and checked as before a first trial; a few run."""

import re
import shlex
import sys
from argparse import Namespace
from itertools import product
from pathlib import Path

import pytest
import yaml

from maxexp.base.errors import ConfigError
from maxexp.cli.run import conf_dir
from maxexp.cli.sweep import _export, _show
from maxexp.cli.sweep import main as main_of_sweep
from maxexp.run.composition import compose_config
from maxexp.run.execution import new_run
from maxexp.schema.config import to_plain
from maxexp.sweep.outcome.export import experiment_yaml
from maxexp.sweep.outcome.progress import progress_line
from maxexp.sweep.outcome.report import page, sweep_files
from maxexp.sweep.search.limits import judge, parse_limits
from maxexp.sweep.workers.attributes import STOPPED
from maxexp.sweep.workers.results import Result, pareto_set, results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from tests.conftest import composed
from tests.docs.pages import SWEEPS, VERBS
from tests.images import OVERRIDES, image_folder
from tests.sweep.conftest import COST_ONLY, call, planned

PRESETS = sorted(path.stem for path in (Path(conf_dir()) / "sweep").glob("*.yaml"))
OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize,hw/macs_per_cycle:maximize}"
ACCURACY = "hydra.sweeper.objectives={val/best_accuracy:maximize}"
INTEGERS = "hydra.sweeper.objectives={val/best_accuracy:null,val/accuracy_integer:maximize}"
FINAL_BIAS = "hydra.sweeper.final={overrides:['++model.layers.conv1.bias=true']}"


def test_the_presets_are_there():
    assert {"smoke", "cifar10_pareto", "frontier", "recipe", "mixed_bits"} <= set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_each_preset_makes_a_plan(name):
    plan = planned(f"+sweep={name}")
    assert plan.settings.objectives and plan.space.size > plan.settings.trials
    digest = plan.digest()
    assert len(digest) == 8
    assert type(plan).from_plain(plan.to_plain()).digest() == digest
    first = plan.compose_first()
    if plan.settings.final:
        final = plan.final()
        stages = [stage.name for stage in final.compose_first().stages]
        assert "evaluate" in stages and "evaluate" not in [stage.name for stage in first.stages]
        assert final.compose_first().trainer.max_epochs > first.trainer.max_epochs


@pytest.mark.parametrize(
    ("arguments", "method", "referee"),
    [
        ((), "estimate", "never"),
        (("board=emulated",), "native", "never"),
        (("synthesis=native",), "native", "auto"),
        (("synthesis.referee=always",), "native", "always"),
        (("synthesis=ai8x,estimate",), "ai8x", "auto"),
        (("hydra.sweeper.final={overrides:['board=emulated']}",), "native", "auto"),
    ],
)
def test_trials_write_firmware_only_where_it_is_wanted(arguments, method, referee):
    synthesis = planned(OBJECTIVES, "seed=1,2", *arguments).compose_first().synthesis
    assert (synthesis.method.name, synthesis.referee.name) == (method, referee)


def test_limits_of_the_presets_part_the_space():
    """Some networks are within them, some are not."""
    for name in ("cifar10_pareto", "mixed_bits", "frontier"):
        plan = planned(f"+sweep={name}")
        limits = parse_limits(plan.settings.limits)
        fits: set[bool] = set()
        for point in plan.space.samples():
            fits.add(judge(plan.compose(*plan.space.overrides(point)), limits).reason is None)
            if len(fits) == 2:
                break
        assert fits == {True, False}, name


@pytest.fixture(scope="module")
def frontier():
    return planned("+sweep=frontier")


def channels(*groups):
    """Those of the three groups of a residual network."""
    return {f"model.layers.conv{number}_1.out_channels": each for number, each in enumerate(groups, 1)}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({}, None),
        ({"quantization.weight_bits": 8}, "701,360 bytes of weights are 258,992 over the 442,368"),
        ({"model": "resnet20", **channels(48, 64, 80)}, "no memory map was found: the kernels of conv1_4"),
        ({"model": "resnet20", **channels(48, 64, 64)}, "hw/latency_us is 11145, the limit hw/latency_us <= 10000"),
        (channels(32, 64, 192), "no pooling or operation behind a sum of 2 inputs in 3 passes"),
    ],
)
def test_the_frontier_refuses_what_does_not_fit(frontier, changed, reason):
    """Weight memory, kernel columns, time, sums; the network that the search begins with fits."""
    start = {
        "model": "wrn16_2",
        "quantization.weight_bits": 4,
        **channels(32, 64, 128),
        "model.layers.conv2_1.pool": "max",
        "model.layers.conv3_1.pool": "max",
    }
    config = frontier.compose(*frontier.space.overrides(start | changed))
    verdict = judge(config, parse_limits(frontier.settings.limits))
    assert verdict.reason is None if reason is None else reason in verdict.reason


@pytest.mark.parametrize("line", SWEEPS)
def test_each_sweep_of_the_readme_makes_a_plan(line):
    assert planned(*shlex.split(line)[4:]).space.parameters


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((OBJECTIVES,), "nothing to search"),
        (("model.width=1,2",), "name at least one metric"),
        ((OBJECTIVES, "model.widht=1,2"), "model.widht"),
        ((OBJECTIVES, "model.width=1,-2"), "model.width=-2"),
        ((OBJECTIVES, "model=digitsnet,nosuch"), "nosuch"),
        ((OBJECTIVES, "+sampler=grid", "model.width=interval(1,2)"), "sampler: model.width has no finite"),
        ((OBJECTIVES, "+sampler=grid", "seed=range(0,200)", "model.width=range(1,11,0.1)"), "20,000 points"),
        ((ACCURACY, "quantization=float", "seed=1,2", "hydra.sweeper.limits=['hw/macs <= 9']"), "so its cost"),
        (("hydra.sweeper.objectives={accuracy:maximize}", "seed=1,2"), "there are test/accuracy_integer"),
        (
            ("hydra.sweeper.objectives={val/acc:maximize}", "seed=1,2"),
            "there are val/best_accuracy",
        ),
        (("hydra.sweeper.objectives={board/latency_us:minimize}", "seed=1,2"), "skipped with board=none; choose"),
        ((OBJECTIVES, "seed=1,2", "board=emulated", "synthesis=estimate"), "set synthesis=native"),
        ((OBJECTIVES, "seed=1,2", "device=max78002"), "the timing of max78002 is unknown; known are hw/parameters"),
        (("+sweep=cifar10_pareto", "device=max78002"), "the timing of max78002 is unknown, and so is hw/latency_us"),
        (("hydra.sweeper.objectives={hw/latency:minimize}", "seed=1,2"), "there are hw/parameters"),
        ((OBJECTIVES, "seed=1,2", "stages=[train]"), "the stage synthesize writes it"),
        ((OBJECTIVES, "seed=1,2", "quantization=float"), "does not run on the chip"),
        (("+sweep=mixed_bits", "quantization=ptq"), "quantizes in stage quantize; add it"),
        (("+sweep=smoke", "quantization=qat,ptq"), "choose by val/accuracy_integer"),
        (("+sweep=mixed_bits", "quantization=ptq", INTEGERS), "quantizes in stage quantize; add it"),
        ((INTEGERS, "+sweep=smoke", "quantization=float"), "does not run on the chip"),
        ((OBJECTIVES, "seed=1,2", *COST_ONLY, "hydra.sweeper.pruning={rivals:3}"), "no training to give up"),
        ((OBJECTIVES, "seed=1,2", "hydra.sweeper.limits=['latency < 3']"), "hydra.sweeper.limits"),
        ((OBJECTIVES, "seed=1,2", "hydra.sweeper.final={overrides:['trainer.max_epoch=3']}"), "trainer.max_epoch"),
        ((OBJECTIVES, "seed=1,2", "hydra.sweeper.final={overrides:['model.width=1'],seeds:[1]}"), "in one place"),
        (
            (OBJECTIVES, "model.width=1,2", "hydra.sweeper.final={overrides:['model.width=1']}"),
            "model.width is searched",
        ),
        ((OBJECTIVES, "+model.layers.conv1.bias=true,false", FINAL_BIAS), "model.layers.conv1.bias is searched"),
        ((OBJECTIVES, "model.width=1,2", "hydra.sweeper.final={overrides:['a=1'],seeds:[1,1]}"), "final.seeds"),
        ((OBJECTIVES, "seed=1,2", "resume=abc"), "resume="),
    ],
)
def test_a_sweep_is_checked_before_its_first_trial(arguments, part):
    with pytest.raises(ConfigError) as caught:
        planned(*arguments)
    assert part in str(caught.value) and "\n" not in str(caught.value)


def test_bits_are_searched_for_quantization_after_training():
    plan = planned("+sweep=mixed_bits", "quantization=ptq", INTEGERS, "stages=[train,quantize,synthesize]")
    assert list(plan.settings.objectives) == ["hw/weight_bytes", "val/accuracy_integer"]


FINAL = "hydra.sweeper.final={overrides:['trainer.max_epochs=3']}"


def test_the_digest_knows_what_decides_and_what_does_not():
    plan = planned(OBJECTIVES, "seed=1,2", *COST_ONLY)
    same = ("hydra.sweeper.trials=7", "hydra.sweeper.workers=3", "trainer.threads=1", "synthesis.path=/x", FINAL)
    same = (*same, "dataset.download=false", "synthesis.timeout_s=9")
    for further in same:
        assert planned(OBJECTIVES, "seed=1,2", *COST_ONLY, further).digest() == plan.digest(), further
    for further in ("model.width=2", "hydra.sweeper.limits=['hw/macs <= 9']", "+sampler=random"):
        assert planned(OBJECTIVES, "seed=1,2", *COST_ONLY, further).digest() != plan.digest(), further


def test_a_sweep_does_not_go_on_under_code_that_gives_other_results(monkeypatch):
    plan = planned(OBJECTIVES, "seed=1,2", *COST_ONLY)
    before = plan.digest()
    monkeypatch.setattr("maxexp.schema.identity.RESULTS_VERSION", 99)
    assert plan.digest() != before


def test_a_sweep_on_other_images_is_another_sweep(tmp_path, monkeypatch):
    """The same images elsewhere make the same sweep."""
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))
    folders = [image_folder(tmp_path / name, gray) for name, gray in (("cats", 0), ("copy", 0), ("flowers", 100))]
    arguments = (OBJECTIVES, "seed=1,2", "stages=[train,synthesize]", *OVERRIDES)
    cats, copy, flowers = (planned(*arguments, f"dataset.root={folder}").digest() for folder in folders)
    assert cats == copy != flowers


def test_the_winner_is_exported_as_an_experiment(sweep, tmp_path, monkeypatch):
    study, found = sweep(
        "hydra.sweeper.trials=2",
        OBJECTIVES,
        "model=cmsisnnet",
        "dataset=cifar10",
        "augmentation=deck",
        "quantization.layer_bits.conv3=1,2",
        "trainer.max_epochs=7",
        *COST_ONLY,
    )
    text = experiment_yaml(study.plan, found[1], study.name, None)
    assert yaml.safe_load(text)["quantization"]["layer_bits"] == {
        "conv3": found[1].params["quantization.layer_bits.conv3"]
    }
    (tmp_path / "own" / "experiment").mkdir(parents=True)
    (tmp_path / "own" / "experiment" / "winner.yaml").write_text(text)
    expected = to_plain(study.plan.compose(*study.plan.space.overrides(found[1].params)))
    again = to_plain(composed("+experiment=winner", f"hydra.searchpath=[file://{tmp_path}/own]"))
    for plain in (expected, again):
        del plain["tracking"]
    assert again == expected
    assert re.search(r"2 of 2 trials \(2 complete\); the sweep itself takes", progress_line(study, results(study)))


def exported(study: SweepStudy, output: str, capsys) -> str:
    """What is said about the best trial written to a file."""
    _export(Namespace(storage=study.url, study=study.name, trial=None, output=Path(output)))
    return capsys.readouterr().out


def test_the_command_of_an_exported_trial_works(sweep, place, capsys):
    study, _ = sweep("hydra.sweeper.trials=1", OBJECTIVES, "seed=5,6", *COST_ONLY)
    capsys.readouterr()
    said = exported(study, "my presets/experiment/best.yaml", capsys)
    option, folder, preset = shlex.split(said.partition("run it with: ")[2])[3:]
    assert (option, Path(folder)) == ("--config-dir", place / "my presets")
    assert compose_config([preset], [folder]).seed in (5, 6)
    with pytest.raises(ConfigError, match="--output best.yaml: .*; give experiment/best.yaml"):
        exported(study, "best.yaml", capsys)
    assert not (place / "best.yaml").exists()


def test_an_exported_trial_has_the_threads_that_it_was_trained_with(sweep, place, client, capsys):
    """Sums come out another way with more of them; its worker had chosen them."""
    study, found = sweep("hydra.sweeper.trials=1", OBJECTIVES, "seed=5,6", *COST_ONLY)
    for threads in (None, 7):  # a trial that did not train has no such tag, and no sums that depend on it
        exported(study, "own/experiment/best.yaml", capsys)
        assert compose_config(["+experiment=best"], [str(place / "own")]).trainer.threads == threads
        client.set_tag(found[0].run_id, "train.threads", "7")


def test_a_report_before_the_first_trial_says_so(place):
    plan = planned(OBJECTIVES, "seed=1,2", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    Tickets(study).update()
    text = page([study], list(sweep_files([study])))
    assert "No trial has begun yet." in text and "0 of 2 trials (none begun)" in text


def test_an_exported_trial_finds_its_trained_networks_from_anywhere(place):
    """Without them, quantization after training would have nothing to quantize."""
    teacher = ("recipe=distill", "recipe.distillation.checkpoint=[zoo:cifar10_teacher,own/teacher.pth.tar]")
    stages = "stages=[quantize,evaluate,synthesize]"
    plan = planned(OBJECTIVES, "quantization=ptq", stages, "checkpoint=own/best.pth.tar", *teacher, "seed=2,3")
    further = dict.fromkeys(("losses", "reason", "run_id", "seconds", "started", "ended"))
    measured = {"values": {}, "constraints": {}, "tested": {}, "curve": {}}
    trial = Result(number=0, outcome="complete", params={"seed": 2}, baseline=False, **measured, **further)
    text = yaml.safe_load(experiment_yaml(plan, trial, "study", None))
    assert text["checkpoint"] == f"{place}/own/best.pth.tar"
    teachers = text["recipe"]["distillation"]["checkpoint"]
    assert teachers == ["zoo:cifar10_teacher", f"{place}/own/teacher.pth.tar"]


def test_what_stopped_a_sweep_is_shown_as_it_is(place, capsys):
    plan = planned(OBJECTIVES, "seed=1,2", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    study.study.set_user_attr(STOPPED, "3 trials in a row failed alike: [/data/x] is full")
    for name in ("study", None):
        _show(Namespace(study=name, storage=study.url))
    assert "stopped: 3 trials in a row failed alike: [/data/x] is full" in capsys.readouterr().out


def test_the_verbs_of_the_guide(sweep, tmp_path, monkeypatch, capsys):
    study, _ = sweep("hydra.sweeper.trials=2", OBJECTIVES, "seed=1,2,3", *COST_ONLY)
    capsys.readouterr()

    def ended(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["sweep", *words])
        return main_of_sweep()

    for line in VERBS:
        assert ended(*shlex.split(line.replace("STUDY", study.name))[3:]) == 0, line
    assert (tmp_path / "experiments" / "mysweep" / "results.md").is_file()
    assert list((tmp_path / "conf" / "experiment").glob("study_*.yaml"))
    capsys.readouterr()
    assert ended("show", "nosuch") == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "there are: study" in said


def test_where_there_are_no_sweeps_none_are_made(tmp_path):
    done = call("show", cwd=tmp_path, module="maxexp.sweep")
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "no sweeps in sqlite:///mlruns/sweeps.db" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_the_smoke_sweep_on_a_grid_equals_training_each_of_its_networks(tmp_path, place, client):
    channels, kernels, bits = ("4", "16"), ("1", "3"), ("8", "4")
    keys = ("model.layers.conv1.out_channels", "model.layers.conv2.kernel_size", "quantization.weight_bits")
    space = [f"{key}={','.join(values)}" for key, values in zip(keys, (channels, kernels, bits), strict=True)]
    common = ("model.layers.conv2.out_channels=8", "trainer.max_epochs=3", "trainer.threads=1")
    common = (*common, "tracking.system_metrics=false")
    done = call("+sweep=smoke", "sampler=grid", "hydra.sweeper.study=grid", *space, *common, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = results(SweepStudy.open(f"sqlite:///{tmp_path}/mlruns/sweeps.db", "grid"))
    expected = {}
    for number, point in enumerate(product(channels, kernels, bits)):
        chosen = [f"{key}={value}" for key, value in zip(keys, point, strict=True)]
        config = composed(*chosen, *common, "tracking.experiment=bruteforce")
        new_run(config, [], tmp_path / str(number))
        (run, *_) = client.search_runs([client.get_experiment_by_name("bruteforce").experiment_id])
        expected[tuple(map(int, point))] = (-run.data.metrics["val/best_accuracy"], run.data.metrics["hw/latency_us"])
    assert {tuple(r.params[key] for key in keys): r.losses for r in found} == expected
    losses = expected.values()
    front = {a for a in losses if not any(b != a and b[0] <= a[0] and b[1] <= a[1] for b in losses)}
    assert {r.losses for r in pareto_set(found)} == front
    assert 1 <= len(front) < len(set(losses))


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_cifar10_pareto_runs_to_its_report(tmp_path, data_root):
    """Both phases on a few images: what takes an hour must not fail at its end."""
    final = "['trainer.max_epochs=3','recipe.weight_averaging=0.9','stages=[train,quantize,evaluate,synthesize]']"
    few = ("dataset.limit=400", "dataset.validation_images=200", "trainer.max_epochs=2", f"dataset.root={data_root}")
    sweep = ("hydra.sweeper.trials=7", "hydra.sweeper.final.most=1", f"hydra.sweeper.final.overrides={final}")
    done = call("+sweep=cifar10_pareto", "hydra.sweeper.study=few", *sweep, *few, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    done = call("report", "few", "--output", "report", cwd=tmp_path, module="maxexp.sweep")
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "report" / "results.md").read_text()
    assert "python -m maxexp -m +sweep=cifar10_pareto" in text and "commit " in text
    second = text.partition("## Second phase")[2]
    assert "accuracy, integer [%]" in second and second.count("| the baseline |") == 1
    for picture in re.findall(r"\]\((.*?)\)", text):
        assert (tmp_path / "report" / picture).stat().st_size > 1000
