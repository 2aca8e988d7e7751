"""What a tracking store has of runs, to be compared: nothing may be lost, doubled or wrong."""

from collections import Counter

from mlflow.entities import Run
from mlflow.tracking import MlflowClient

ONLY_AFTER_INTERRUPTIONS = ("resumed.", "maxexp.", "mlflow.", "host", "platform", "python")
"""Tags that differ between equal runs."""


def runs_of(client: MlflowClient, experiment: str) -> list[Run]:
    """All runs of an experiment."""
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], max_results=1000)) if found else []


def artifacts(client: MlflowClient, run_id: str, folder: str | None = None) -> set[str]:
    """Paths of all artifacts of a run."""
    paths = set()
    for entry in client.list_artifacts(run_id, folder):
        paths |= artifacts(client, run_id, entry.path) if entry.is_dir else {entry.path}
    return paths


def points(client: MlflowClient, run: Run) -> Counter[tuple[str, int]]:
    """How often each metric was logged at each step; the machine's use left out."""
    keys = [key for key in run.data.metrics if not key.startswith("system/")]
    return Counter((key, point.step) for key in keys for point in client.get_metric_history(run.info.run_id, key))


def tags(run: Run) -> set[str]:
    """Names of the tags that say what a run has done."""
    return {key for key in run.data.tags if not key.startswith(ONLY_AFTER_INTERRUPTIONS)}


def differences(client: MlflowClient, run: Run, reference: Run) -> list[str]:
    """What one finished run has and another one of the same configuration has not, a line each."""
    found = []
    if run.info.status != "FINISHED":
        found.append(f"status {run.info.status}")
    ours, theirs = artifacts(client, run.info.run_id), artifacts(client, reference.info.run_id)
    found += [f"lost artifact {path}" for path in sorted(theirs - ours)]
    found += [f"further artifact {path}" for path in sorted(ours - theirs)]
    mine, wanted = points(client, run), points(client, reference)
    found += [f"lost point {point}" for point in sorted((wanted - mine).elements())]
    found += [f"doubled point {point}" for point in sorted((mine - wanted).elements())]
    found += [f"lost param {key}" for key in sorted(reference.data.params.keys() - run.data.params.keys())]
    found += [f"lost tag {key}" for key in sorted(tags(reference) - tags(run))]
    found += [f"further tag {key}" for key in sorted(tags(run) - tags(reference))]
    data = [{entry.dataset.name for entry in each.inputs.dataset_inputs} for each in (run, reference)]
    return found + [f"lost data set {name}" for name in sorted(data[1] - data[0])]
