"""What a run has logged and its store has not got, as values that can be written to a file and read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

_LONGEST_DIGEST = 36  # characters, MLflow's limit


@dataclass(frozen=True)
class Dataset:
    """Data that a run works on: name, hash, and what they are for, e.g. ``train`` or ``test``."""

    name: str
    digest: str
    context: str


@dataclass(frozen=True)
class End:
    """MLflow's status of a run that has ended, and when that was, in ms since 1970."""

    status: str
    time_ms: int


@dataclass
class Letters:
    """Everything but files.

    Attributes:
        deleted: Paths of artifacts that go once the run has ended.
    """

    metrics: list[Metric] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    datasets: list[Dataset] = field(default_factory=list)
    end: End | None = None
    deleted: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.metrics or self.tags or self.params or self.datasets or self.end or self.deleted)

    def to_plain(self) -> dict[str, Any]:
        """Values of JSON; those of metrics as texts, since JSON knows no NaN."""
        return {
            "metrics": [
                {"key": m.key, "value": repr(m.value), "timestamp_ms": m.timestamp, "step": m.step}
                for m in list(self.metrics)
            ],
            "tags": dict(self.tags),
            "params": dict(self.params),
            "datasets": [vars(dataset) for dataset in self.datasets],
            "end": vars(self.end) if self.end else None,
            "deleted": list(self.deleted),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Letters:
        """What :meth:`to_plain` made. Raises KeyError, TypeError or ValueError where it did not."""
        from mlflow.entities import Metric

        return cls(
            [Metric(m["key"], float(m["value"]), int(m["timestamp_ms"]), int(m["step"])) for m in plain["metrics"]],
            {str(key): str(value) for key, value in plain["tags"].items()},
            {str(key): str(value) for key, value in plain["params"].items()},
            [Dataset(**each) for each in plain["datasets"]],
            End(**plain["end"]) if plain["end"] else None,
            [str(path) for path in plain["deleted"]],
        )


def send_values(client: MlflowClient, run_id: str, letters: Letters) -> None:
    """Sends metrics, tags and params in as few requests as a store allows; what has arrived leaves the letters.

    Others may add metrics meanwhile. A point that arrives twice is one for MLflow.
    """
    from mlflow.entities import Param, RunTag

    metrics, tags, params = list(letters.metrics), dict(letters.tags), dict(letters.params)
    if not (metrics or tags or params):
        return
    client.log_batch(
        run_id,
        metrics=metrics,
        params=[Param(key, value) for key, value in params.items()],
        tags=[RunTag(key, value) for key, value in tags.items()],
    )
    del letters.metrics[: len(metrics)]
    for waiting, sent in ((letters.tags, tags), (letters.params, params)):
        for key, value in sent.items():
            if waiting.get(key) == value:
                del waiting[key]


def send_dataset(client: MlflowClient, run_id: str, dataset: Dataset) -> None:
    """Makes data an input of the run."""
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag
    from mlflow.exceptions import MlflowException
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    entity = MlflowDataset(dataset.name, dataset.digest[:_LONGEST_DIGEST], source_type="local", source=dataset.name)
    used = DatasetInput(entity, [InputTag(MLFLOW_DATASET_CONTEXT, dataset.context)])
    try:
        client.log_inputs(run_id, [used])
    except MlflowException:
        # MLflow looks for equal data before it adds them: another run may do so in between, and then the second
        # look finds them.
        client.log_inputs(run_id, [used])


def send_file(client: MlflowClient, run_id: str, local: str, artifact: str) -> None:
    """Stores a file under its path among the artifacts; its name there is that of the local one."""
    folder = str(PurePosixPath(artifact).parent)
    client.log_artifact(run_id, local, None if folder == "." else folder)


def delete_artifact(client: MlflowClient, run_id: str, artifact: str, artifact_uri: str) -> None:
    """Removes an artifact; one that is not there is no error."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    get_artifact_repository(artifact_uri, client.tracking_uri).delete_artifacts(artifact)
