"""Samplers and launchers by configuration: the presets, others of the library, what is refused and how."""

from pathlib import Path

import optuna
import pytest
from omegaconf import OmegaConf
from optuna.samplers import RandomSampler
from optuna.study import StudyDirection

from maxexp.base.errors import ConfigError
from maxexp.cli.run import conf_dir
from maxexp.sweep.search.sampling import (
    DistinctSampler,
    ExhaustedError,
    check_sampler,
    frozen,
    make_sampler,
    traits,
)
from maxexp.sweep.search.space import parse_space
from maxexp.sweep.workers.launchers import launcher_class
from tests.sweep.conftest import COST_ONLY, call, planned

optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = parse_space({"a": "1,2", "b": "range(0,2)", "c": "x,y"}, {"c=y": {"d": "1,2"}}, [])
ENDLESS = parse_space({"x": "interval(0,1)", "y": "interval(0,1)"}, {}, [])
PRESETS = sorted(path.stem for path in Path(conf_dir(), "sampler").glob("*.yaml"))
DRAWING = [name for name in PRESETS if name != "grid"]
ONE, TWO = [StudyDirection.MINIMIZE], 2 * [StudyDirection.MINIMIZE]
COST = "hydra.sweeper.objectives={hw/macs:minimize}"


def preset(name: str, group: str = "sampler") -> dict:
    return OmegaConf.to_container(OmegaConf.load(f"{conf_dir()}/{group}/{name}.yaml"), resolve=True)


def suggest(trial, parameter):
    name, d = parameter.name, parameter.distribution
    if hasattr(d, "choices"):
        return trial.suggest_categorical(name, d.choices)
    return trial.suggest_int(name, d.low, d.high) if isinstance(d.low, int) else trial.suggest_float(name, 0, 1)


@pytest.mark.parametrize("name", [name for name in DRAWING if name != "cmaes"])
def test_no_sampler_draws_a_point_twice_and_all_find_the_last_one(name):
    check_sampler(preset(name), SPACE, TWO)
    study = optuna.create_study(directions=["minimize", "minimize"])
    drawn = []
    for number in range(int(SPACE.size)):
        study.sampler = DistinctSampler(make_sampler(preset(name), number), SPACE, drawn, number)
        trial = study.ask()
        point = SPACE.draw(lambda parameter, t=trial: suggest(t, parameter))
        study.tell(trial, [point["b"], point["a"]])
        drawn.append(frozen(point))
    assert len(set(drawn)) == SPACE.size == 12
    study.sampler = DistinctSampler(make_sampler(preset(name), 99), SPACE, drawn, 99)
    trial = study.ask()
    with pytest.raises(ExhaustedError, match="all 12 points"):
        SPACE.draw(lambda parameter: suggest(trial, parameter))


def drawn_by(chosen: dict, space, trials: int) -> list[dict]:
    """Points of trials one after the other, each with a sampler of its own, as workers have them."""
    study = optuna.create_study()
    points: list[dict] = []
    for number in range(trials):
        study.sampler = DistinctSampler(make_sampler(chosen, number), space, map(frozen, points), number)
        trial = study.ask()
        points.append(space.draw(lambda parameter, t=trial: suggest(t, parameter)))
        study.tell(trial, number)
    assert chosen["_target_"] != "optuna.samplers.CmaEsSampler" or any(
        "cma" in key for t in study.trials for key in t.system_attrs
    )
    return points


@pytest.mark.parametrize("name", DRAWING)
def test_all_samplers_draw_numbers(name):
    points = drawn_by(preset(name), ENDLESS, 12)
    assert len({frozen(point) for point in points}) == 12


@pytest.mark.parametrize("name", [name for name in DRAWING if preset(name).get("seed_per_trial", True)])
def test_draws_depend_on_the_seed_and_the_number_alone(name):
    def draw(seed: int, number: int) -> float:
        inner = make_sampler({**preset(name), "seed": seed}, number)
        study = optuna.create_study(sampler=DistinctSampler(inner, ENDLESS, [], 0))
        return study.ask().suggest_float("x", 0, 1)

    assert draw(1, 5) == draw(1, 5)
    assert len({draw(1, 5), draw(1, 6), draw(2, 5)}) == 3


def test_the_seed_of_a_nested_sampler_is_the_trials_too():
    chosen = {
        "_target_": "optuna.samplers.PartialFixedSampler",
        "fixed_params": {"x": 0.5},
        "base_sampler": {"_target_": "optuna.samplers.RandomSampler", "seed": 3},
    }
    points = drawn_by(chosen, ENDLESS, 3)
    assert {point["x"] for point in points} == {0.5} and len({point["y"] for point in points}) == 3


def test_traits_are_the_classs_own():
    assert traits(preset("tpe")).draws and not traits(preset("tpe")).finite_only
    assert traits(preset("grid")).finite_only and not traits(preset("grid")).draws


class Listing(RandomSampler):
    """A sampler of somebody else's."""

    finite_only = True


def test_a_class_of_ones_own_says_what_it_needs(place):
    chosen = f"hydra.sweeper.sampler={{_target_:{__name__}.Listing,seed:2}}"
    planned(chosen, COST, "seed=1,2", *COST_ONLY)
    with pytest.raises(ConfigError, match="hydra.sweeper.sampler: model.width has no finite number of values"):
        planned(chosen, COST, "model.width=interval(0.5,1)", *COST_ONLY)


REFUSED = [
    ("optuna.samplers.TpeSampler", {}, r"_target_=optuna.samplers.TpeSampler: no BaseSampler; did you mean .*TPES"),
    ("optuna.samplers.X", {}, "no BaseSampler; optuna.samplers has BruteForceSampler, CmaEsSampler, GPSampler, "),
    ("optuna.nosuch.Y", {}, "there is no module optuna.nosuch"),
    ("nosuch.samplers.Y", {}, "nosuch is not installed; run: pip install nosuch"),
    ("tpe", {}, r": needs _target_, a BaseSampler by its whole name, as _target_: package.module.Class"),
    (None, {}, ": needs _target_"),
    ("os.system", {"command": "true"}, "_target_=os.system: no BaseSampler; os has none"),
    ("optuna.samplers.NSGAIISampler", {"population": 4}, "population: no such argument; NSGAIISampler takes popula"),
    ("optuna.samplers.NSGAIISampler", {"population_size": 1}, "NSGAIISampler refuses its arguments: .population_"),
    ("optuna.samplers.PartialFixedSampler", {}, ".fixed_params: is missing; PartialFixedSampler takes fixed_"),
    ("optuna.samplers.GridSampler", {"search_space": {"x": [1]}}, "ends studies .*; choose sampler=grid"),
    ("optuna.samplers.CmaEsSampler", {}, "CmaEsSampler cannot draw: .*multi-objective"),
]


@pytest.mark.parametrize(("target", "arguments", "message"), REFUSED)
def test_what_is_no_sampler_is_refused_in_one_line(target, arguments, message):
    chosen = {"_target_": target, **arguments} if target else {"name": "tpe"}
    with pytest.raises(ConfigError, match=f"^hydra.sweeper.sampler.*{message}") as caught:
        traits(chosen)
        check_sampler(chosen, ENDLESS, TWO)
    assert "\n" not in str(caught.value)


def test_cmaes_is_for_one_objective():
    check_sampler(preset("cmaes"), ENDLESS, ONE)


@pytest.mark.parametrize("name", [path.stem for path in Path(conf_dir(), "launcher").glob("*.yaml")])
def test_each_launcher_is_one(name):
    assert launcher_class(preset(name, "launcher")).local == (name in ("local", "joblib"))


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"name": "slurm"}, "hydra.sweeper.launcher: needs _target_, a Launcher"),
        ({"_target_": "maxexp.sweep.workers.launchers.LocalLauncer"}, "no Launcher; did you mean .*LocalLauncher"),
        ({"_target_": "maxexp.sweep.workers.launchers.LocalLauncher", "jobs": 2}, "jobs: no such argument; .* none"),
        ({"_target_": "maxexp.sweep.workers.launchers.LocalLauncher", "work": 2}, "work: is not to be given"),
        (
            {"_target_": "maxexp.sweep.workers.launchers.RayLauncher"},
            "options: is missing; RayLauncher takes opt",
        ),
    ],
)
def test_what_is_no_launcher_is_refused_in_one_line(chosen, message):
    with pytest.raises(ConfigError, match=message) as caught:
        launcher_class(chosen)
    assert "\n" not in str(caught.value)


def test_hydras_own_launchers_are_refused_in_words(tmp_path):
    """Any choice but the default; a file of one's own stands in for a launcher that need not be installed."""
    (tmp_path / "hydra" / "launcher").mkdir(parents=True)
    (tmp_path / "hydra" / "launcher" / "mine.yaml").write_text("_target_: x.Y\n")
    done = call("--config-dir", str(tmp_path), "+sweep=smoke", "hydra/launcher=mine", cwd=tmp_path)
    assert done.returncode == 1
    assert "hydra/launcher=mine: starts runs, and this sweeper has workers" in done.stderr
