"""The colour of a run in the MLflow UI: unlike those before it, where the UI's own choice may give two runs one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

COLOR_TAG = "mlflow.runColor"
NEWEST_FIRST = ["attributes.start_time DESC"]

# Told apart by colour-blind readers too (Paul Tol, "bright" and "muted"), legible on white and on black.
COLORS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#999933", "#cc6677", "#44aa99")


def next_color(client: MlflowClient, experiment_id: str) -> str:
    """The colour after that of the experiment's newest run, ``#rrggbb``."""
    newest = client.search_runs([experiment_id], "", order_by=NEWEST_FIRST, max_results=1)
    last = newest[0].data.tags.get(COLOR_TAG) if newest else None
    return COLORS[(COLORS.index(last) + 1) % len(COLORS)] if last in COLORS else COLORS[0]
