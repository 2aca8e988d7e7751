"""One local store for all tests of the run record: creating the database takes seconds."""

import pytest

from maxexp.tracking import RunRecord, TrackingConfig


@pytest.fixture(scope="session")
def uri(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """A current folder of its own, and no trace of the variables that opening a store sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "unused")
    monkeypatch.delenv("MLFLOW_TRACKING_URI")


@pytest.fixture
def config(uri):
    return TrackingConfig(uri=uri, experiment="tests", system_metrics=False, patience_s=0.0)


@pytest.fixture
def start(config):
    def started(**arguments):
        return RunRecord.start(config, "test", **arguments)

    return started


@pytest.fixture
def status():
    def of(record):
        return record.client.get_run(record.run_id).info.status

    return of


@pytest.fixture
def steps():
    def of(record, key):
        return [point.step for point in record.client.get_metric_history(record.run_id, key)]

    return of
