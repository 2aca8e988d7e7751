"""A comparison as the plain values that the page draws."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from math import isfinite, nan
from typing import Any

from maxexp import __version__
from maxexp.base.errors import TrackingError
from maxexp.base.metrics import Metric
from maxexp.base.number_format import NumberFormat
from maxexp.chip.config import find_part
from maxexp.chip.metrics import CYCLES, LATENCY, WEIGHT_MEMORY
from maxexp.report.comparison.collect import RunDetails
from maxexp.report.comparison.comparison import Comparison, status
from maxexp.report.comparison.differences import setting
from maxexp.report.comparison.wrong import most_often_wrong
from maxexp.report.figures.layer_colors import INPUT_COLOR, LAYER_COLORS
from maxexp.schema.repeat import typed_command
from maxexp.schema.roles import changes_result
from maxexp.tracking.metrics import CURVE_PANELS
from maxexp.tracking.reading import RESTORED, RecordedRun
from maxexp.tracking.sweep_tags import stopped_early

CURVE_POINTS = 100
"""Points of a curve that are kept; longer ones are thinned out."""
HEAVY_BYTES = 2_000_000
"""Confusion matrices and histograms of the best runs, until there are that many bytes of them."""
SHOWN_TAGS = (
    RESTORED,
    "maxexp.version",
    "mlflow.source.git.commit",
    "git.dirty",
    "cpu",
    "python",
    "version.torch",
)


def page_data(comparison: Comparison, title: str, origin: str) -> dict[str, Any]:
    """Returns everything that the page shows.

    Args:
        origin: where the runs are, and how they were chosen.
    """
    networks = _Pool()
    runs = [_run(comparison, details, networks) for details in comparison.runs]
    _add_heavy(runs, comparison.runs)
    return {
        "title": title,
        "origin": origin,
        "version": __version__,
        "notes": list(comparison.notes),
        "metrics": [_described(metric) for metric in comparison.metrics],
        "panels": [_panel(quantity, curves[0].form) for quantity, curves in CURVE_PANELS.items()],
        "accuracy": comparison.accuracy.name,
        "axes": {"accuracy": comparison.accuracy.key, "latency": LATENCY.key, "memory": WEIGHT_MEMORY.key},
        "cycles": CYCLES.key,
        "differing": list(comparison.differing),
        "common": _common([details.run.params for details in comparison.runs]),
        "networks": networks.items,
        "layer_colors": LAYER_COLORS,
        "input_color": INPUT_COLOR,
        "runs": runs,
        "wrong": [asdict(images) for images in most_often_wrong(comparison.runs)],
    }


def _described(metric: Metric) -> dict[str, Any]:
    """Returns how the page writes a metric."""
    described = {key: getattr(metric, key) for key in ("key", "name", "label", "better")}
    return described | {key: getattr(metric.form, key) for key in ("unit", "scale", "digits", "words")}


def _panel(quantity: str, form: NumberFormat) -> dict[str, Any]:
    """Returns how the page draws curves of one quantity."""
    return {
        "quantity": quantity,
        "heading": form.heading(quantity),
        "scale": form.scale,
        "digits": form.digits,
    }


class _Pool:
    """Equal values once; runs of one network share its costs."""

    def __init__(self) -> None:
        self.items: list[Any] = []
        self._index: dict[str, int] = {}

    def put(self, value: Any) -> int:
        key = json.dumps(value, sort_keys=True)
        if key not in self._index:
            self._index[key] = len(self.items)
            self.items.append(value)
        return self._index[key]


def _run(comparison: Comparison, details: RunDetails, networks: _Pool) -> dict[str, Any]:
    run = details.run
    keys = [metric.key for metric in comparison.metrics]
    sources = {m.key: m.source(run.tags) for m in comparison.metrics if m.key in run.metrics}
    return {
        "id": run.run_id,
        "name": run.name,
        "link": run.link,
        "status": status(details),
        "stopped_early": stopped_early(run.tags) is not None,
        "model": details.model,
        "dataset": details.dataset,
        "quantization": run.tags.get("quantization", ""),
        "bits": run.tags.get("weight_bits", ""),
        "front": run.run_id in comparison.front,
        "values": {key: run.metrics[key] for key in keys if isfinite(run.metrics.get(key, nan))},
        "sources": {key: source for key, source in sources.items() if source != "computed"},
        "best": [key for key in keys if run.run_id in comparison.best[key]],
        "params": {key: setting(key, run.params) for key in comparison.differing if key in run.params},
        "tags": {key: run.tags[key] for key in SHOWN_TAGS if key in run.tags},
        "data": dict(run.data),
        "command": _command(run),
        "curves": {key: _thinned(points) for key, points in details.curves.items()},
        "qat_epoch": None if details.qat_epoch is None else details.qat_epoch + 1,
        "network": networks.put(_network(details)) if details.cost else None,
    }


def _command(run: RecordedRun) -> str | None:
    try:
        return typed_command(run)
    except TrackingError:
        return None


def _thinned(points: Sequence[tuple[int, float]]) -> list[list]:
    """Epochs from 1, and values (None where not finite); the last one is always among them."""
    step = -(-len(points) // CURVE_POINTS)
    kept = [*points[:-1:step], points[-1]] if step > 1 else points
    values = [float(f"{value:.4g}") if isfinite(value) else None for _, value in kept]
    return [[epoch + 1 for epoch, _ in kept], values]


def _network(details: RunDetails) -> dict[str, Any]:
    """Layers with their cycles, and what is where in the memories, with the sizes of the chip."""
    assert details.cost is not None
    part = find_part(details.cost["device"])
    return {
        "device": details.cost["device"],
        "processors": part.processors.count,
        "kernel_columns": part.memories.kernel_columns,
        "instances": part.processors.instances,
        "instance_bytes": part.memories.instance_bytes,
        "layers": details.cost["layers"],
        "tensors": details.cost["tensors"],
    }


def _common(configurations: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Returns the keys that all runs have with the same value."""
    first, *others = configurations
    return {
        key: value
        for key, value in sorted(first.items())
        if changes_result(key) and all(params.get(key) == value for params in others)
    }


def _add_heavy(runs: Sequence[dict[str, Any]], all_details: Sequence[RunDetails]) -> None:
    left = HEAVY_BYTES
    for run, details in zip(runs, all_details, strict=True):
        heavy = {"confusion": _confusion(details), "ranges": details.ranges}
        left -= len(json.dumps(heavy))
        if left < 0:
            heavy = {"confusion": None, "ranges": None}
        run |= heavy


def _confusion(details: RunDetails) -> dict[str, Any] | None:
    """Counts as pairs (position, images) of the cells that are not empty, row by row."""
    if details.predictions is None:
        return None
    counts = details.predictions.confusion.flatten()
    cells = [[int(i), int(counts[i])] for i in counts.nonzero()[0]]
    return {"kind": details.predictions.kind, "classes": list(details.predictions.classes), "cells": cells}
