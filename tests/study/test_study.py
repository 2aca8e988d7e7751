"""Studies: their description, what counts as done, and the table they end in."""

import json
import logging
from pathlib import Path

import pytest
import yaml

from maxexp import __version__
from maxexp.errors import ConfigError
from maxexp.study.__main__ import EXPERIMENTS
from maxexp.study.description import read_study
from maxexp.study.execute import State, jobs, run_missing, state
from maxexp.study.figures import make_rows, verdict
from maxexp.study.markdown import results_markdown
from maxexp.study.plan import make_job, same_result
from maxexp.study.records import RESULTS, Result, Results
from maxexp.study.report import write_report
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.store import open_store

SMALL = {
    "title": "Float, then PTQ",
    "question": "Does quantization cost anything?",
    "entries": {
        "float": {
            "label": "float",
            "overrides": ["quantization=float", "trainer.max_epochs=1", "dataset.limit=200"],
            "seeds": [1, 2],
        },
        "ptq": {
            "label": "PTQ",
            "overrides": ["quantization=ptq", "stages=[quantize,evaluate,synthesize]"],
            "starts_from": "float",
        },
    },
    "references": {"deck": {"label": "the deck", "source": "slide 5", "values": {"accuracy": 0.85, "time": 4570}}},
    "columns": {
        "accuracy": {"label": "accuracy", "metric": "test/accuracy_float", "format": "percent"},
        "time": {"label": "time", "metric": "hw/latency_us", "format": "milliseconds"},
        "factor": {"label": "speed-up", "formula": "deck.time / time", "format": "factor"},
    },
    "findings": [{"text": "the deck is slower", "check": "deck.time > ptq.time"}],
    "charts": {"chart": {"title": "accuracy against time", "x": "time", "y": "accuracy"}},
}


def written(tmp_path: Path, **changes) -> Path:
    path = tmp_path / "small" / "study.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(SMALL | changes, sort_keys=False))
    return path


def result(entry: str, seed: int, accuracy: float, **tags: str) -> Result:
    metrics = {"test/accuracy_float": accuracy, "hw/latency_us": 2000.0}
    version = {"maxexp.version": __version__, "hw.source": "estimated", **tags}
    return Result(entry, seed, "python -m maxexp", f"{entry}{seed}" + 30 * "0", {}, metrics, version, {}, {})


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"colums": {}}, "no colums; there are: title, question"),
        ({"entries": {"a": {"label": "a", "overrides": ["seed=3"]}}}, "seed=3 belongs into seeds"),
        ({"entries": {"a": {"label": "a", "overrides": [], "seeds": []}}}, "seeds is empty"),
        (
            {"entries": {"a": {"label": "a", "overrides": [], "starts_from": "b"}}},
            "starts_from: no b; there are: none",
        ),
        ({"findings": [{"text": "x", "check": "dek.time > 1"}]}, "findings: no dek; there are: deck, float, ptq"),
        ({"findings": [{"text": "x", "check": "deck.tim > 1"}]}, "no tim; there are: accuracy, time, factor"),
        ({"rows": ["ptq", "qat"]}, "rows: no qat"),
        ({"columns": {"a": {"label": "a", "metric": "x", "tag": "y"}}}, "metric and tag"),
        ({"charts": {"c": {"title": "t", "x": "time", "y": "wine"}}}, "charts.c: no wine"),
        ({"columns": {"a": {"label": "a", "metric": "x", "format": "inches"}}}, "inches"),
    ],
)
def test_a_wrong_description_is_refused_by_its_key(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")) as caught:
        read_study(written(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_a_missing_study_names_those_there_are(tmp_path):
    written(tmp_path)
    with pytest.raises(ConfigError, match="no such study; there are: small"):
        read_study(tmp_path / "big" / "study.yaml")


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*/study.yaml")), ids=lambda path: path.parent.name)
def test_every_study_of_the_project_composes(path):
    study = read_study(path)
    for name, entry in study.entries.items():
        make_job(study, name, entry.seeds[0], "0" * 32 if entry.starts_from else None)


def test_the_example_for_those_who_add_a_study_is_one(tmp_path):
    text = (EXPERIMENTS / "README.md").read_text()
    (tmp_path / "study.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])
    study = read_study(tmp_path / "study.yaml")
    for name, entry in study.entries.items():
        make_job(study, name, entry.seeds[0], "0" * 32 if entry.starts_from else None)


def test_the_same_result_is_told_by_what_changes_it():
    wanted = {"seed": "1", "trainer.max_epochs": "5", "trainer.threads": "1", "new.key": "x"}
    assert same_result(wanted, {"seed": "1", "trainer.max_epochs": "5", "trainer.threads": "2", "old.key": "y"})
    assert not same_result(wanted, {"seed": "1", "trainer.max_epochs": "6"})


def test_the_table_has_means_spreads_sources_and_formulas(tmp_path):
    study = read_study(written(tmp_path))
    rows = make_rows(study, {"float": [result("float", 1, 0.90), result("float", 2, 0.92)], "ptq": []})
    text = results_markdown("small", study, rows, ["chart.png"])
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert table[0] == "| | accuracy | time | speed-up | runs |"
    assert table[1] == "| the deck | 85.00 % | 4.570 ms | 1.0x | published |"
    assert table[2].startswith("| float | 91.00 ± 1.41 % | 2.000 msᵉ | 2.3x | [float100](#float100)")
    assert table[3] == "| PTQ | - | - | - | (0 of 1) |"
    assert "**open, ptq.time is missing**: the deck is slower" in text
    assert "the deck: slide 5" in text and "![chart.png](chart.png)" in text


def test_findings_are_decided_by_figures(tmp_path):
    study = read_study(written(tmp_path))
    rows = make_rows(study, {"float": [], "ptq": [result("ptq", 1, 0.9)]})
    assert verdict(study.findings[0], rows) == "confirmed"


def test_results_survive_in_their_file_and_old_versions_do_not_count(tmp_path):
    study = read_study(written(tmp_path))
    job = make_job(study, "float", 1, None)
    path = tmp_path / RESULTS
    Results(path).add(result("float", 1, 0.9))
    assert Results(path).find(job).metrics["test/accuracy_float"] == 0.9
    Results(path).add(result("float", 1, 0.8, **{"maxexp.version": "0.0.1"}))
    assert Results(path).find(job) is None
    assert len(json.loads(path.read_text())) == 1


@pytest.mark.slow
def test_a_study_runs_what_is_missing_and_nothing_twice(tmp_path, caplog):
    study = read_study(written(tmp_path))
    store = open_store(TrackingConfig(uri=f"sqlite:///{tmp_path}/mlflow.db"))
    path = tmp_path / "small" / RESULTS
    waiting = {name: job for name, _, job in jobs(study, Results(path), store)}
    assert waiting["ptq"] is None
    machine = ["trainer.threads=1", f"hydra.run.dir={tmp_path}/${{now:%f}}"]
    assert run_missing(study, Results(path), store, machine, []) == 0
    # A file that was lost is made again from the store, and nothing is run.
    for results in (Results(path), Results(tmp_path / "lost.json")):
        states = [state(job, results, store)[0] for _, _, job in jobs(study, results, store)]
        assert states == [State.done] * 3
    with caplog.at_level(logging.INFO):
        assert run_missing(study, Results(path), store, machine, []) == 0
    assert [record.message for record in caplog.records if record.name == "maxexp.study.execute"] == [
        "float seed 1: done",
        "float seed 2: done",
        "ptq seed 1: done",
    ]
    text = write_report("small", study, Results(path), store, path.parent)
    assert "**confirmed**: the deck is slower" in text and (path.parent / "chart.svg").is_file()
