"""Studies, folders and values may have any name."""

import os
import time

import pytest
import yaml

from maxexp.base.languages.markdown import markdown_text
from maxexp.run.composition import compose_config
from maxexp.sweep.outcome.export import experiment_yaml
from maxexp.sweep.outcome.plots import importance_plot, parallel_plot
from maxexp.sweep.outcome.report import tables
from maxexp.sweep.search.space import parse_space
from maxexp.sweep.workers.results import results
from maxexp.sweep.workers.storage import StorageError, check_exists, open_storage, storage_file, storage_lock
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.trial import trial_folder
from tests.sweep.conftest import COST_ONLY, planned

OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize}"
HARD = ("../../x", "it's", "a/b", "$x$", "<b>|`*", "two\nlines", "2026_11_30", "caf\udce9")


@pytest.mark.parametrize("name", ["what?", "a%20b", "{x}", "it's", "$x", "é", "a#b"])
@pytest.mark.parametrize("scheme", ["sqlite", "journal"])
def test_studies_are_kept_in_the_folder_that_was_meant(tmp_path, monkeypatch, scheme, name):
    (tmp_path / name).mkdir()
    (tmp_path / "what").mkdir()
    before = sorted(os.listdir(tmp_path))
    monkeypatch.chdir(tmp_path / name)
    for url in (f"{scheme}:///sweeps.db", f"{scheme}:///{tmp_path / name}/sweeps.db"):
        open_storage(url).create_new_study([], name)
        check_exists(url)
        os.remove(tmp_path / name / "sweeps.db")
    assert sorted(os.listdir(tmp_path)) == before and not os.listdir(tmp_path / "what")


def test_a_journal_is_not_locked_against_optuna(tmp_path):
    """Optuna breaks a lock that is left for half a minute, and waits until then."""
    url = f"journal:///{tmp_path}/sweeps.log"
    before = time.monotonic()
    storage = open_storage(url)
    with storage_lock(url):
        storage.create_new_study([], "name")
    assert time.monotonic() - before < 25


def test_options_behind_the_path_are_refused():
    with pytest.raises(StorageError, match=r"^storage sqlite:///x\.db\?timeout=3: [^\n]*leave it out$"):
        storage_file("sqlite:///x.db?timeout=3")


@pytest.mark.parametrize("name", HARD[:-1])
def test_a_study_may_be_called_anything(sweep, place, name):
    """Its trials' folders are within its own, and one that lost its worker finds its run again."""
    study, found = sweep(OBJECTIVES, "hydra.sweeper.trials=1", "seed=1,2", *COST_ONLY, name=name)
    assert [each.outcome for each in found] == ["complete"]
    folders = os.listdir(place / "mlruns" / "sweeps")
    assert len(folders) == 1 and trial_folder(study, 0).parent.resolve() == place / "mlruns" / "sweeps" / folders[0]
    assert "stages" in yaml.safe_load(experiment_yaml(study.plan, found[0], name, None))


TEXTS = ("2026_11_30", "1e5", "100000.0", "true", "007")


def test_values_of_texts_stay_apart_and_as_they_are():
    space = parse_space({"dataset.root": ",".join(TEXTS)}, {}, ["tracking.run_name=choice(1e5, 1_0)"])
    assert space.parameters[0].values() == list(TEXTS) and space.parameters[1].values() == ["1e5", "1_0"]
    for text in TEXTS:
        (override,) = [space.parameters[0].override(text)]
        assert compose_config([override]).dataset.root == text


def test_a_condition_may_name_a_text_without_its_quotes(tmp_path):
    when = {"dataset.root=1e5": {"model.width": "interval(0.5,1)"}}
    space = parse_space({"dataset.root": "1e5,1_0"}, when, [])
    assert space.parameters[1].only_if == ("dataset.root", "1e5")
    assert not parse_space({}, when, ["dataset.root=1_0"]).parameters
    assert len(parse_space({}, when, ["dataset.root=1e5"]).parameters) == 1


def test_a_preset_keeps_its_texts(tmp_path):
    (tmp_path / "sweep").mkdir()
    (tmp_path / "sweep" / "1_0.yaml").write_text(
        "# @package _global_\ndefaults:\n- override /hydra/sweeper: maxexp\n"
        "hydra:\n  sweeper:\n    study: 2026_11_30\n    objectives: {hw/latency_us: minimize}\n"
        "    params: {dataset.root: 1e5, model.width: 5e-1, seed: '1,2'}\n"
    )
    from maxexp.run.composition import compose_untyped

    composed = compose_untyped(["+sweep=1_0"], [str(tmp_path)], with_hydra=True)
    settings = composed.hydra.sweeper
    assert settings.study == "2026_11_30"
    space = parse_space(settings.params, {}, [])
    assert space.fixed == ("dataset.root='1e5'", "model.width=5e-1")


def test_an_exported_trial_has_the_texts_again(tmp_path, place):
    plan = planned(OBJECTIVES, "dataset.name=1e5,digits", "seed=1,2", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    trial = study.study.ask()
    trial.suggest_categorical("dataset.name", ["1e5", "digits"])
    trial.suggest_categorical("seed", [1, 2])
    (result,) = results(study)
    text = experiment_yaml(plan, result, "study\n- evil: 1", None)
    (tmp_path / "experiment").mkdir()
    (tmp_path / "experiment" / "mine.yaml").write_text(text)
    config = compose_config(["+experiment=mine"], [str(tmp_path)])
    assert config.dataset.name == result.params["dataset.name"] and "\n- evil" not in text


@pytest.mark.parametrize("value", ["$\\undefined$", "$x", "a|b", "caf\udce9"])
def test_values_are_drawn_and_tabulated_as_they_are(place, value):
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    plan = planned(OBJECTIVES, "dataset.root=a,b", *COST_ONLY)
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    import dataclasses

    from optuna.distributions import CategoricalDistribution
    from optuna.trial import create_trial

    for number, each in enumerate((value, "b")):
        params = {"dataset.root": each}
        study.study.add_trial(
            create_trial(
                params=params,
                distributions={"dataset.root": CategoricalDistribution([value, "b"])},
                values=[float(number)],
                user_attrs={"outcome": "complete"},
            )
        )
    found = [dataclasses.replace(each, values={"hw/latency_us": 1.0}) for each in results(study)]
    for figure in (
        parallel_plot(found, ["hw/latency_us"]),
        importance_plot({"hw/latency_us": {f"dataset.root={value}": {value: 1.0}}}, 30),
    ):
        FigureCanvasAgg(figure).draw()
    if "\udce9" not in value:
        assert markdown_text(value) in tables(study)
