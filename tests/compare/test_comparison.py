"""What a comparison says of runs: the complete ones and the others."""

import csv
import io

import pytest
from rich.console import Console

from maxexp.base.errors import TrackingError
from maxexp.compare.terminal import print_comparison
from maxexp.compare.text import MISSING, to_csv, to_markdown
from maxexp.report.comparison.collect import collect_all, select_runs
from maxexp.report.comparison.comparison import compare, status
from maxexp.report.page.page import to_html
from maxexp.tracking import reading


@pytest.fixture(scope="module")
def runs(make_runs):
    return make_runs()


@pytest.fixture(scope="module")
def written(runs):
    """Three finished runs, a running one without results, a killed one, one on other data: ids by name."""
    return {
        "slow": runs.write("slow", accuracy=0.9),
        "fast": runs.write("fast", "model.width=0.5", accuracy=0.8),
        "beaten": runs.write("beaten", params={"seed": "7"}, accuracy=0.7),
        "running": runs.write("running", accuracy=None, finish=False),
        "killed": killed(runs),
        "elsewhere": runs.write("elsewhere", "model=digitsnet", "dataset=digits", accuracy=0.95),
    }


def killed(runs) -> str:
    run_id = runs.write("killed", accuracy=None, finish=False)
    runs.store.client.set_tag(run_id, "killed.reason", "power cut")
    runs.store.client.set_terminated(run_id, "KILLED")
    return run_id


@pytest.fixture(scope="module")
def comparison(runs, written):
    return compare(runs.details(*written.values()))


def test_the_most_accurate_run_comes_first_and_those_without_results_last(comparison):
    names = [details.run.name for details in comparison.runs]
    assert names[:4] == ["elsewhere", "slow", "fast", "beaten"]
    assert set(names[4:]) == {"running", "killed"}


def test_best_values_and_front_are_those_of_each_data_set(comparison, written):
    assert written["slow"] in comparison.best["test/accuracy_integer"]
    assert written["elsewhere"] not in comparison.best["hw/latency_us"], "alone on its data"
    assert comparison.best["hw/latency_us"] == {written["fast"]}
    assert comparison.front == {written["slow"], written["fast"], written["elsewhere"]}


def test_notes_name_what_is_unfinished_or_not_alike(comparison):
    notes = " ".join(comparison.notes)
    assert "running is still running" in notes
    assert "killed was killed (power cut)" in notes
    assert "2 networks (cmsisnnet, digitsnet)" in notes
    assert "2 data sets (cifar10, digits)" in notes


def test_code_that_gives_other_results_is_noted(runs):
    ids = [runs.write(name) for name in ("before", "after")]
    assert not any("versions of results" in note for note in compare(runs.details(*ids)).notes)
    for version, run_id in enumerate(ids):
        runs.store.client.set_tag(run_id, "maxexp.results", str(version))
    assert any("2 versions of results (0, 1)" in note for note in compare(runs.details(*ids)).notes)
    for run_id in ids:
        runs.store.client.delete_run(run_id)


def test_a_run_whose_process_is_gone_does_not_count_as_running(runs, written):
    run_id = runs.write("abandoned", accuracy=None, finish=False)
    runs.store.client.set_tag(run_id, "maxexp.process_ticks", "0")
    notes = compare(runs.details(run_id)).notes
    runs.store.client.delete_run(run_id)
    assert any("its process is gone" in note for note in notes)


def test_markdown_has_units_and_marks_what_is_missing(comparison, written):
    lines = to_markdown(comparison).splitlines()
    assert "latency [ms]" in lines[0] and "accuracy, integer [%]" in lines[0]
    slow = next(line for line in lines if line.startswith("| slow "))
    assert written["slow"] in slow and "**90.00**" in slow and "1.898" in slow and "estimated" in slow
    running = next(line for line in lines if line.startswith("| running "))
    assert f"| {MISSING} |" in running
    table = lines[: lines.index("")]
    assert len({line.count("|") for line in table}) == 1


def test_csv_holds_metrics_as_recorded(comparison, written):
    rows = {row["name"]: row for row in csv.DictReader(io.StringIO(to_csv(comparison)))}
    assert rows["slow"]["run_id"] == written["slow"]
    assert float(rows["slow"]["hw/latency_us"]) == pytest.approx(1897.78)
    assert rows["running"]["test/accuracy_integer"] == ""
    assert rows["beaten"]["seed"] == "7"


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_every_run_with_units(comparison, written, width):
    console = Console(file=io.StringIO(), width=width)
    print_comparison(comparison, console)
    text = console.file.getvalue()
    for expected in (
        "slow",
        written["slow"][:8],
        "90.00",
        "1.898",
        "94,048",
        "latency",
        "[ms]",
        "[bytes]",
        "killed was killed (power cut)",
    ):
        assert expected in text


def test_a_deleted_and_an_unknown_run_do_not_stop_the_others(runs, written):
    deleted = runs.write("gone", accuracy=0.5)
    runs.store.client.delete_run(deleted)
    chosen, notes = select_runs(runs.store, [written["slow"], deleted, "0" * 32], None)
    assert [run.name for run in chosen] == ["slow"]
    assert "gone" in notes[0] and "was deleted" in notes[0]
    assert "0" * 32 in notes[1]


def test_the_beginning_of_an_id_is_enough(runs, written):
    """The table shows no more of it."""
    chosen, notes = select_runs(runs.store, [written["slow"][:8], written["slow"]], None)
    assert [run.name for run in chosen] == ["slow"] and notes == []


def test_a_beginning_that_several_ids_or_none_have_is_named(runs, written, monkeypatch):
    found = [run for run in select_runs(runs.store, [written["slow"], written["fast"]], None)[0]]
    with monkeypatch.context() as patch:
        patch.setattr(reading, "find_runs", lambda _, query: found if "LIKE" in query else [])
        _, (note,) = select_runs(runs.store, ["abcdef", written["beaten"]], None)
    assert "abcdef is ambiguous" in note and written["slow"] in note and written["fast"] in note
    with pytest.raises(TrackingError, match="Run 000000 is not shown: no run that is left"):
        select_runs(runs.store, ["000000"], None)


def test_a_filter_finds_runs_by_figures(runs, written):
    chosen, _ = select_runs(runs.store, [], "metrics.`hw/latency_us` < 1500 and tags.dataset = 'cifar10'")
    assert [run.name for run in chosen] == ["fast"]


@pytest.mark.parametrize(("query", "match"), [("tags.model = 'none'", "matches"), ("nonsense", "write conditions")])
def test_nothing_to_compare_is_an_error_with_a_reason(runs, written, query, match):
    with pytest.raises(TrackingError, match=match) as caught:
        select_runs(runs.store, [], query)
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def trials(make_runs):
    return make_runs()


def trial(runs, name: str, state: str, *overrides: str, **metrics: float) -> str:
    """A run as the first phase of a sweep leaves it: it has not looked at the test images."""
    values = {key.replace("_", "/", 1): value for key, value in metrics.items()}
    run_id = runs.write(name, *overrides, accuracy=None, metrics=values)
    runs.store.client.set_tag(run_id, "sweep.state", state)
    return run_id


def shown_in_terminal(comparison) -> str:
    console = Console(file=io.StringIO(), width=80)
    print_comparison(comparison, console)
    return console.file.getvalue()


def test_trials_of_a_sweep_are_compared_by_validation_accuracy(trials):
    beaten = trial(trials, "beaten", "complete", val_best_accuracy=0.6)
    better = trial(trials, "better", "complete", val_best_accuracy=0.75)
    small = trial(trials, "small", "complete", "model.width=0.5", val_best_accuracy=0.5)
    found = compare(trials.details(beaten, small, better))
    assert [details.run.name for details in found.runs] == ["better", "beaten", "small"]
    assert found.accuracy.key == found.metrics[0].key == "val/best_accuracy"
    assert found.front == {better, small}
    text = shown_in_terminal(found)
    assert "75.00" in text and "ranked and drawn by validation accuracy" in text
    page = to_html(found, "", "")
    assert '"axes":{"accuracy":"val/best_accuracy"' in page


def test_test_and_validation_accuracies_are_not_mixed(trials):
    tested = trials.write("tested", accuracy=0.5, metrics={"val/best_accuracy": 0.6})
    others = [trial(trials, f"trial {v}", "complete", val_best_accuracy=v) for v in (0.7, 0.9)]
    found = compare(trials.details(*others, tested))
    assert [details.run.name for details in found.runs] == ["tested", "trial 0.9", "trial 0.7"]
    assert found.accuracy.key == "test/accuracy_integer" and found.front == {tested}
    assert any("without a test accuracy come last" in note for note in found.notes)


def test_what_a_sweep_gave_up_is_not_called_finished(trials):
    pruned = [trial(trials, f"trial {number}", "pruned") for number in (1, 2)]
    found = compare(trials.details(trial(trials, "whole", "complete", val_best_accuracy=0.6), *pruned))
    assert [status(details) for details in found.runs] == ["finished", "pruned", "pruned"]
    text = shown_in_terminal(found)
    assert "trial 1 (pruned)" in text and "Called pruned by their sweep, which gave them up: 2 runs." in text


def test_what_a_sweep_gave_up_is_best_at_nothing(trials):
    whole = [trial(trials, f"whole {v}", "complete", val_best_accuracy=v) for v in (0.6, 0.7)]
    small = trial(trials, "small", "pruned", "model.width=0.5", val_best_accuracy=0.2)
    found = compare(trials.details(*whole, small))
    latency = found.best["hw/latency_us"]
    assert found.front == {whole[1]} and small not in set().union(latency, *found.best.values())
    assert next(d for d in found.runs if d.run.run_id == small).run.metrics["hw/latency_us"] > 0


def test_damaged_artifacts_count_as_missing(runs):
    run_id = runs.write("damaged", accuracy=0.6)
    runs.store.client.log_text(run_id, "no json", "synthesis/cost.json")
    runs.store.client.log_text(run_id, "no archive", "evaluation/predictions.npz")
    (details,) = runs.details(run_id)
    assert details.cost is None and details.predictions is None


@pytest.mark.parametrize("form", ["terminal", "markdown", "page"])
def test_every_form_names_runs_that_are_not_whole(runs, written, form):
    deleted = runs.write("gone", accuracy=0.5)
    runs.store.client.delete_run(deleted)
    chosen, notes = select_runs(runs.store, [*written.values(), deleted], None)
    found = compare(collect_all(chosen), notes)
    console = Console(file=io.StringIO(), width=100)
    print_comparison(found, console)
    texts = {
        "terminal": console.file.getvalue,
        "markdown": lambda: to_markdown(found),
        "page": lambda: to_html(found, "", ""),
    }
    text = texts[form]()
    for said in ("gone", "was deleted and is not shown", "still running", "killed (power cut)", "of 2 networks"):
        assert said in text
