"""Committed results put into a tracking store: runs of another machine, to be looked at and compared on this one."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from maxexp.base.errors import TrackingError
from maxexp.base.languages.markdown import markdown_code, markdown_text
from maxexp.report.summary import result_rows, results_markdown
from maxexp.study.records import Result
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import RESTORED, RESTORED_COMMAND, find_restored, read_run
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import Store, open_store


def restore(study: str, results: Iterable[Result], config: TrackingConfig) -> list[str]:
    """Gives the store a run for each result that it has neither run nor restored, in the data set's experiment.

    Such a run has the configuration, figures, curves and tags that ``results.json`` keeps, but no artifacts.

    Args:
        study: where the results are from.
        config: the store.

    Returns:
        Ids of the new runs.

    Raises:
        TrackingError: the store fails.
    """
    store = open_store(config)
    return [_restore(study, result, config) for result in results if not _known(result.run_id, store)]


def _known(run_id: str, store: Store) -> bool:
    try:
        read_run(store, run_id)
    except TrackingError:
        return bool(find_restored(store, run_id))
    return True


def _restore(study: str, result: Result, config: TrackingConfig) -> str:
    tags = {**result.tags, RESTORED: result.run_id, RESTORED_COMMAND: result.command}
    config = replace(config, experiment=result.params["dataset.name"], system_metrics=False)
    with RunRecord.start(config, _name(study, result), tags, result.params) as record:
        for name, digest in result.data.items():
            record.log_dataset(name, digest, name.rpartition("-")[2])
        for step, values in _by_step(result).items():
            record.log_metrics(values, step)
        record.log_metrics({key: value for key, value in result.metrics.items() if key not in result.curves})
        origin = f"Run {result.run_id} as {markdown_text(f'experiments/{study}')} keeps it, without its artifacts: "
        origin += markdown_code(result.command)
        record.describe(f"{origin}\n\n{results_markdown(result_rows(result.metrics, result.tags))}")
    return record.run_id


def _name(study: str, result: Result) -> str:
    """The network first, because the MLflow UI cuts names short; once, where the study's entry is called like it."""
    words = dict.fromkeys([result.params["model.name"], result.entry, f"seed={result.seed}"])
    return f"{' '.join(words)} ({study})"


def _by_step(result: Result) -> dict[int, dict[str, float]]:
    """Values of all curves by epoch: a request to the store writes an epoch."""
    steps: dict[int, dict[str, float]] = defaultdict(dict)
    for key, points in result.curves.items():
        for step, value in points:
            steps[step][key] = value
    return steps
