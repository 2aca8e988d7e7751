"""The command as a user meets it, in a process of its own."""

import os
import shlex
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from maxexp.run.execution import finish_message, resume_command
from maxexp.schema.config import to_plain
from maxexp.tracking.flatten import flatten
from tests.conftest import composed
from tests.runs import REPOSITORY, call, command
from tests.stores import empty_store


def status(folder: Path, run_id: str) -> str:
    with sqlite3.connect(folder / "mlflow.db") as database:
        return database.execute("select status from runs where run_uuid = ?", (run_id,)).fetchone()[0]


def tags(folder: Path, run_id: str) -> dict[str, str]:
    with sqlite3.connect(folder / "mlflow.db") as database:
        return dict(database.execute("select key, value from tags where run_uuid = ?", (run_id,)).fetchall())


def curve(folder: Path, run_id: str, key: str) -> list[tuple[int, float]]:
    query = "select step, value from metrics where run_uuid = ? and key = ? order by step"
    with sqlite3.connect(folder / "mlflow.db") as database:
        return database.execute(query, (run_id, key)).fetchall()


def integers(folder: Path, run_id: str) -> dict[str, torch.Tensor]:
    file = folder / "artifacts" / run_id / "artifacts" / "quantization" / "digitsnet-q.pth.tar"
    return torch.load(file, weights_only=True)["state_dict"]


def resume_files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("resume-*.ckpt")}


def test_help_explains_itself(tmp_path):
    done = call("--help", cwd=tmp_path)
    assert done.returncode == 0
    for part in ("+experiment=cifar100_qat", "nascifarnet", "resume=RUN_ID", "stages=[synthesize]", "maxexp.ui"):
        assert part in done.stdout


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("trainer.max_epoch=3", "max_epochs"),
        ("model=foo", "nascifarnet"),
        ("a=b=c", "a=b=c"),
        ("stages.train=false", "a list has no such key"),
        ("model.layers.fc.out_features=5", "fc gives 5 outputs, dataset.num_classes is 10"),
    ],
)
def test_a_wrong_key_is_one_line_and_exit_code_1(override, part, tmp_path):
    done = call(override, cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.startswith("maxexp: error: ")
    assert part in done.stderr
    assert not (tmp_path / "mlruns" / "mlflow.db").exists()


def test_a_network_that_does_not_fit_is_refused_at_once_and_leaves_no_run(tmp_path):
    arguments = ["model=nascifarnet", "dataset=cifar10", "model.width=2", "dataset.root=nowhere"]
    started = time.perf_counter()
    process = subprocess.Popen(
        command(*arguments),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        stderr=subprocess.PIPE,
        text=True,
    )
    line = process.stderr.readline()
    seconds = time.perf_counter() - started
    rest = process.stderr.read()
    assert process.wait() == 1
    assert "750,976 over the 442,368 of max78000" in line
    assert "conv3_1" in line
    assert "model.width" in line
    assert rest == ""
    assert seconds < 3  # 0.6 s on an idle machine
    assert not (tmp_path / "mlruns" / "mlflow.db").exists()


def test_an_error_in_a_run_is_one_line(tmp_path):
    done = call("checkpoint=nowhere.pth.tar", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.strip() == "maxexp: error: checkpoint=nowhere.pth.tar: no such file"


def test_a_sweep_goes_on_after_a_job_that_is_refused(tmp_path):
    done = call("-m", "model.width=16,0.5", "stages=[synthesize]", QUIET, cwd=tmp_path)
    assert done.returncode == 1
    assert "over the 442,368 of max78000" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("maxexp: error: 1 of 2 failed: #0 model.width=16: ")
    assert "cycles" in done.stdout
    with sqlite3.connect(tmp_path / "mlruns" / "mlflow.db") as database:
        # What is refused leaves no run.
        assert database.execute("select status from runs").fetchall() == [("FINISHED",)]


def test_cost_is_found_without_torch_and_lightning(tmp_path):
    """To import them takes two seconds each, most of such a command."""
    done = call("stages=[synthesize]", QUIET, cwd=tmp_path, PYTHONPROFILEIMPORTTIME="1")
    assert done.returncode == 0
    assert "maxexp.run.pipeline" in done.stderr
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert not imported & {"torch", "pytorch_lightning", "torchmetrics"}


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    done = call(f"hydra.run.dir={tmp_path}/file/x", "stages=[synthesize]", cwd=tmp_path)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1


QUIET = "tracking.system_metrics=false"
LONG = ["trainer.max_epochs=20", QUIET]  # quantization-aware from epoch 14


def interrupted(folder: Path, epochs: int, number: int) -> tuple[str, int, str]:
    """Start a run, send it a signal after so many epochs; its id, exit code and error stream."""
    with (folder / "output").open("w+") as output, (folder / "errors").open("w+") as errors:
        process = subprocess.Popen(
            command(*LONG),
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stdout=output,
            stderr=errors,
        )
        while (text := (folder / "output").read_text()).count("\nepoch ") < epochs:
            assert process.poll() is None, (folder / "errors").read_text()
            time.sleep(0.01)
        process.send_signal(number)
        code = process.wait(timeout=60)
        return text.split()[1], code, (folder / "errors").read_text()


@pytest.fixture
def whole(quickstart, store) -> tuple[Path, str]:
    """An uninterrupted run of the same configuration, in this process: the folder of its store, and its id."""
    return store.folder, quickstart.info.run_id


def test_the_quickstart_is_what_is_interrupted():
    same = {
        key: value for key, value in flatten(to_plain(composed(*LONG))).items() if not key.startswith("tracking.")
    }
    assert same.items() <= flatten(to_plain(composed("+experiment=quickstart"))).items()


@pytest.mark.parametrize(
    ("epochs", "number", "expected"),
    [
        (15, signal.SIGKILL, "RUNNING"),  # one quantization-aware epoch is done
        pytest.param(17, signal.SIGKILL, "RUNNING", marks=pytest.mark.slow),
        pytest.param(5, signal.SIGKILL, "RUNNING", marks=pytest.mark.slow),
        (10, signal.SIGINT, "KILLED"),
        pytest.param(18, signal.SIGTERM, "KILLED", marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_run_ends_as_if_it_had_not_stopped(epochs, number, expected, whole, tmp_path):
    empty_store(tmp_path)
    run_id, code, errors = interrupted(tmp_path, epochs, number)
    assert code != 0
    assert status(tmp_path / "mlruns", run_id) == expected
    if number != signal.SIGKILL:
        assert f"resume={run_id}" in errors
        refused = call(f"resume={run_id}", "seed=9", cwd=tmp_path)
        assert refused.returncode == 1
        assert "seed=9" in refused.stderr
        assert status(tmp_path / "mlruns", run_id) == expected
    artifacts = tmp_path / "mlruns" / "artifacts" / run_id
    assert resume_files(artifacts) == {"resume-0.ckpt", "resume-1.ckpt"}
    trained = curve(tmp_path / "mlruns", run_id, "val/accuracy")
    done = call(f"resume={run_id}", QUIET, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\nepoch ") <= 20 - len(trained) + 1  # no epoch was trained again but the last
    assert status(tmp_path / "mlruns", run_id) == "FINISHED"
    assert not resume_files(artifacts)
    code = "mlflow.source.git.commit"
    assert tags(tmp_path / "mlruns", run_id)[f"resumed.{code}"] == tags(tmp_path / "mlruns", run_id)[code]
    folder, reference = whole
    for key in ("train/loss", "val/loss", "val/accuracy", "test/accuracy_integer"):
        assert curve(tmp_path / "mlruns", run_id, key) == curve(folder, reference, key)
    expected_integers = integers(folder, reference)
    for key, value in integers(tmp_path / "mlruns", run_id).items():
        assert torch.equal(value, expected_integers[key]), key


def test_a_finished_run_keeps_nothing_to_resume_from(whole):
    folder, run_id = whole
    artifacts = folder / "artifacts" / run_id
    assert list(artifacts.rglob("qat_best.pth.tar")) and not resume_files(artifacts)


def test_a_finished_run_cannot_be_resumed(whole):
    folder, run_id = whole
    done = call(f"resume={run_id}", f"tracking.uri=sqlite:///{folder}/mlflow.db", cwd=folder)
    assert done.returncode == 1
    assert "has finished" in done.stderr
    assert status(folder, run_id) == "FINISHED"


def test_commands_that_are_printed_can_be_copied_into_a_shell(capsys):
    uri = "sqlite:///my runs (new)/mlflow.db"
    *words, place = shlex.split(resume_command("abc", uri))
    assert words == ["python", "-m", "maxexp", "resume=abc"] and composed(place).tracking.uri == uri
    finish_message(SimpleNamespace(run_id="abc", uri=uri, place=uri))
    assert shlex.split(capsys.readouterr().out.partition("open it: ")[2])[-2:] == ["--tracking-uri", uri]
