"""What a run has logged and its store has not got, as values that can be written to a file and read again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from maxexp.tracking.names import is_name, is_plain_path

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

_LONGEST_DIGEST = 36  # characters, MLflow's limit
_STATUSES = ("FINISHED", "FAILED", "KILLED")
_LARGEST = 2**63
"""Of whole numbers that stores hold."""


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
        """Returns what :meth:`to_plain` made. Raises AttributeError, KeyError, TypeError or ValueError where it did
        not."""
        return cls(
            [_point(each) for each in _list(plain["metrics"])],
            _named_texts(plain["tags"]),
            _named_texts(plain["params"]),
            [_dataset(each) for each in _list(plain["datasets"])],
            _end(plain["end"]) if plain["end"] else None,
            [_path(each) for each in _list(plain["deleted"])],
        )


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{value!r:.60} is no list")
    return value


def _point(plain: dict[str, Any]) -> Metric:
    from mlflow.entities import Metric

    value = float(_text(plain["value"]))
    return Metric(_name(plain["key"]), value, _whole(plain["timestamp_ms"]), _whole(plain["step"]))


def _dataset(plain: dict[str, Any]) -> Dataset:
    return Dataset(*(_text(plain[key]) for key in ("name", "digest", "context")))


def _end(plain: dict[str, Any]) -> End:
    if plain["status"] not in _STATUSES:
        raise ValueError(f"{plain['status']!r:.60} is no status of a run that has ended")
    return End(plain["status"], _whole(plain["time_ms"]))


def _named_texts(plain: dict[str, Any]) -> dict[str, str]:
    return {_name(key): _text(value) for key, value in plain.items()}


def _name(value: Any) -> str:
    if not is_name(_text(value)):
        raise ValueError(f"{value!r:.60} is no name of a metric, tag or param")
    return value


def _path(value: Any) -> str:
    if not is_plain_path(_text(value)):
        raise ValueError(f"{value!r:.60} is no path of an artifact")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.60} is no text")
    value.encode()  # half of a surrogate pair is none either
    return value


def _whole(value: Any) -> int:
    if type(value) is not int or abs(value) >= _LARGEST:
        raise ValueError(f"{value!r:.60} is no whole number that a store holds")
    return value


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
