"""Runs that a sweep ended before their time: MLflow calls them finished, since nothing went wrong."""

from collections.abc import Mapping

STATE_TAG = "sweep.state"
"""Of a trial's run: its outcome."""

BEST_TRIAL_TAG = "sweep.best_trial"
"""Of the sweep's run: the trial whose figures it shows."""


def stopped_early(tags: Mapping[str, str]) -> str | None:
    """Returns how a sweep ended a run early, by its tags: pruned or infeasible; None for a complete run, or one of no
    sweep."""
    state = tags.get(STATE_TAG)
    return None if state == "complete" else state
