"""Full disks are named: the path, and what was being written."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from maxexp.base import disk
from maxexp.base.disk import full, no_space, writing
from maxexp.base.errors import DiskFullError
from maxexp.base.exit_codes import exit_code
from maxexp.quantization.files.checkpoint import write_module
from tests.runs import call, command


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 24 MB; only the administrator can make one."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], capture_output=True)
    if made.returncode:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(place: Path) -> None:
    """Leave no byte on a file system."""
    with open(place / "ballast", "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_path_and_content_are_named(code, tmp_path):
    with (
        pytest.raises(DiskFullError, match=rf"^cannot write checkpoint {tmp_path}/a: (the|files)[^\n]*; free space"),
        writing("checkpoint", tmp_path / "a"),
    ):
        raise OSError(code, os.strerror(code))


def test_other_errors_stay_what_they_are(tmp_path):
    for error in (OSError(errno.EACCES, "no"), RuntimeError("shape")):
        with pytest.raises(type(error)) as caught, writing("checkpoint", tmp_path / "a"):
            raise error
        assert caught.value is error and no_space(error) is None
    assert not full(tmp_path / "not" / "there")


def test_what_torch_says_of_a_full_disk_is_translated(small_disk, model):
    from maxexp.network.module import NetworkModule

    fill(small_disk)
    with pytest.raises(DiskFullError, match=f"cannot write checkpoint {small_disk}/a.pth.tar: the disk is full"):
        write_module(small_disk / "a.pth.tar", NetworkModule(model("cmsisnnet")), 0, {})
    assert torch.is_grad_enabled()


def test_a_command_names_the_full_disk_where_the_system_names_no_file(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(disk, "full", lambda place: place == tmp_path)

    def fail():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assert exit_code("maxexp", fail) == 1
    assert capsys.readouterr().err == f"maxexp: error: [Errno 28] No space left on device: {tmp_path}\n"


TRAINING = ("stages=[train]", "dataset.limit=300", "trainer.max_epochs=60", "tracking.patience_s=0")


def train_until_full(cwd: Path, place: Path, *arguments: str) -> tuple[int, str]:
    """Train, and fill a file system after the first epoch; exit code and all that was said."""
    process = subprocess.Popen(
        command(*TRAINING, *arguments),
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said = ""
    for line in process.stdout:
        said += line
        if "epoch 1/" in line:
            fill(place)
    return process.wait(), said


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_disk_that_fills_up_during_a_training(small_disk):
    """Everything is on it: the run ends in lines that name it, and goes on once there is space."""
    code, said = train_until_full(small_disk, small_disk)
    assert code == 1 and "Traceback" not in said
    assert f"maxexp: error: cannot write what the tracking store has not got {small_disk}/maxexp-unsent-" in said
    (small_disk / "ballast").unlink()
    (resume,) = (line.rpartition(" ")[2] for line in said.splitlines() if "stopped; resume with" in line)
    done = call(resume, cwd=small_disk)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_store_on_a_full_disk_ends_no_training(small_disk, tmp_path):
    code, said = train_until_full(tmp_path, small_disk, f"tracking.uri=sqlite:///{small_disk}/mlflow.db")
    assert code == 1 and "Traceback" not in said and "epoch 60/60" in said
    assert "the disk is full; free space there; the work goes on" in said
    (small_disk / "ballast").unlink()
    (folder,) = tmp_path.glob("maxexp-unsent-*")
    sent = subprocess.run([sys.executable, "-m", "maxexp.tracking", str(folder)], capture_output=True, text=True)
    assert sent.returncode == 0, sent.stderr
