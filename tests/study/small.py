"""A study of two entries, and results of its runs with chosen figures."""

from pathlib import Path

import yaml

from maxexp import RESULTS_VERSION, __version__
from maxexp.study.description import Study, read_study
from maxexp.study.plan import make_job
from maxexp.study.records import Result
from maxexp.tracking.provenance import RESULTS_TAG

SMALL = {
    "title": "Float, then PTQ",
    "question": "Does quantization cost anything?",
    "overrides": ["dataset.limit=200"],
    "entries": {
        "float": {
            "label": "float",
            "overrides": ["quantization=float", "trainer.max_epochs=1"],
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
        "gain": {"label": "above float", "formula": "accuracy - float.accuracy", "format": "points"},
    },
    "findings": [{"text": "the deck is slower", "check": "deck.time > ptq.time"}],
    "charts": {
        "chart": {"title": "accuracy against time", "x": "time", "y": "accuracy"},
        "gains": {"title": "gain", "x": "gain"},
    },
}


def written(folder: Path, **changes) -> Path:
    """``study.yaml`` of the study in a folder of its own."""
    path = folder / "small" / "study.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(SMALL | changes, sort_keys=False))
    return path


def small(folder: Path, **changes) -> Study:
    return read_study(written(folder, **changes))


def result(entry: str, seed: int, accuracy: float, study: Study | None = None, **tags: str) -> Result:
    """A finished run; under the configuration that the study asks for, where one is given."""
    run_id = f"{entry}{seed}".ljust(32, "0")
    params = {}
    if study:
        start = study.entries[entry].starts_from
        earlier = f"{start}{seed}".ljust(32, "0") if start else None
        params = dict(make_job(study, entry, seed, earlier).identity.params)
    metrics = {"test/accuracy_float": accuracy, "hw/latency_us": 2000.0}
    known = {"maxexp.version": __version__, RESULTS_TAG: str(RESULTS_VERSION), "hw.source": "estimated", **tags}
    return Result(entry, seed, f"python -m maxexp seed={seed}", run_id, params, metrics, known, {}, {})
