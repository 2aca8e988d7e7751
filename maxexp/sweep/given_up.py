"""Runs that a sweep ended before their time: MLflow calls them finished, since nothing went wrong."""

from collections.abc import Mapping

from maxexp.sweep.attributes import STATE_TAG


def given_up(tags: Mapping[str, str]) -> str | None:
    """What became of a run by its tags, e.g. pruned or infeasible; None for a whole one, or one of no sweep."""
    state = tags.get(STATE_TAG)
    return None if state == "complete" else state
