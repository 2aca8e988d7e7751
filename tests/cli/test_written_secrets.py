"""No file of a run or a sweep has a password or a token, wherever the address came from."""

import json
import os
import socket
import sqlite3
from pathlib import Path

import pytest
import yaml

from maxexp.base.secrets import KEPT, complete
from maxexp.cli.arguments import overrides_first
from maxexp.run.addresses import with_kept_secrets
from maxexp.sweep.workers.attributes import PLAN
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking.store import resolve_uri
from tests.runs import call
from tests.sweep.conftest import planned

SECRETS = ("S3CRET", "T0KEN")


@pytest.fixture
def address():
    """Of a server that does not answer, with a password that has all that tells the parts of an address apart."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        yield f"http://bob:S3CRET@/S3CRET?x#@127.0.0.1:{listener.getsockname()[1]}/path?access_token=T0KEN"


def leaks(folder: Path) -> list[Path]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.parent.name != "given"]
    assert files
    return [path for path in files if any(secret.encode() in path.read_bytes() for secret in SECRETS)]


def test_a_run_and_several_leave_none(tmp_path, address):
    done = call("stages=[synthesize]", f"tracking.uri='{address}'", cwd=tmp_path)
    assert done.returncode == 1 and not leaks(tmp_path)
    written = yaml.safe_load(next(tmp_path.rglob(".hydra/config.yaml")).read_text())
    assert written["tracking"]["uri"].startswith("http://127.0.0.1:") and written["seed"] == 1
    assert {path.name for path in tmp_path.rglob(".hydra/*")} == {"config.yaml", "hydra.yaml", "overrides.yaml"}
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr


def test_several_runs_leave_none_of_a_file_that_has_one(tmp_path, address):
    (tmp_path / "given" / "tracking").mkdir(parents=True)
    given = tmp_path / "given" / "tracking" / "given"
    given.mkdir()
    (given.parent / "mine.yaml").write_text(yaml.safe_dump({"defaults": ["default"], "uri": address}))
    os.rename(given.parent / "mine.yaml", given / "mine.yaml")
    (given.parent / "mine.yaml").symlink_to(given / "mine.yaml")
    words = ("-m", "--config-dir", "given", "tracking=mine", "seed=1", "stages=[synthesize]")
    done = call(*words, cwd=tmp_path)
    assert done.returncode == 1 and (tmp_path / "given").is_dir()
    leaking = [path for path in leaks(tmp_path) if not path.is_symlink()]
    assert not leaking and list(tmp_path.rglob("multirun.yaml"))
    assert not any(secret in done.stdout + done.stderr for secret in SECRETS)


def test_an_environment_variable_that_hydra_sets_is_set_and_not_written(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN", raising=False)
    given = "hydra.job.env_set.MLFLOW_TRACKING_TOKEN"
    for folder, words in (("one", ()), ("many", ("-m", "seed=1"))):
        (tmp_path / folder).mkdir()
        uri = "tracking.run_name=${oc.env:MLFLOW_TRACKING_TOKEN}0"
        done = call(*words, f"+{given}=T0KEN", "stages=[]", uri, cwd=tmp_path / folder)
        assert "stages" in done.stderr and not leaks(tmp_path / folder)
        assert next((tmp_path / folder).rglob(".hydra/hydra.yaml")).is_file()


def test_the_database_of_a_sweep_has_none(tmp_path, address, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(KEPT, "{}")
    command = overrides_first([f"tracking.uri='{address}'", "+board.connection.command='curl http://me:S3CRET@host'"])
    plan = planned("hydra.sweeper.objectives={hw/latency_us:minimize}", "seed=1,2", command[0])
    study = SweepStudy.create(plan.settings.storage, "study", plan)
    assert not leaks(tmp_path)
    with sqlite3.connect(tmp_path / "mlruns" / "sweeps.db") as database:
        (text,) = database.execute("select value_json from study_user_attributes where key = ?", (PLAN,)).fetchone()
    (uri,) = [word.partition("=")[2] for word in json.loads(json.loads(text))["overrides"] if "tracking.uri" in word]
    # Whoever works on it knows the whole address, by this process or by the variable that MLflow has for it.
    assert resolve_uri(uri) == address == study.plan.compose_first().tracking.uri.replace(uri, address)
    monkeypatch.setenv(KEPT, "{}")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert resolve_uri(uri) == address


@pytest.mark.parametrize("key", ["tracking.uri", "+tracking.uri", "++hydra.sweeper.storage", "hydra.sweeper.storage"])
def test_a_secret_leaves_the_command_line_at_once(monkeypatch, key):
    monkeypatch.setenv(KEPT, "{}")
    for address in ("postgresql://me:S3CRET@host/db", "http://me:S3 CRET@host", "http://x.org?t=S3CRET"):
        (word,) = with_kept_secrets([f"{key}='{address}'"])
        left = word.partition("=")[2].strip("'")
        assert "CRET" not in word and complete(left) == address
        choice = f"{key}='{address}',http://other"
        assert with_kept_secrets([choice]) == [f"{word},http://other"]


def test_what_has_no_secret_stays_as_it_is():
    words = [
        "tracking.uri=sqlite:///a b.db",
        "tracking.uri=",
        "tracking.uri=(",
        "seed=1",
        "dataset.root=http://a:b@c",
    ]
    assert with_kept_secrets(words) == words
