"""What is released: the wheel that is made from the sdist, away from the checkout."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from maxexp import __version__
from tests.runs import REPOSITORY

TEACHERS = REPOSITORY / "experiments" / "zoo"
Call = Callable[..., subprocess.CompletedProcess[str]]


def build(source: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "build", "--no-isolation", *arguments, source], check=True, capture_output=True
    )


@pytest.fixture(scope="module")
def released(tmp_path_factory) -> Path:
    """The folder with sdist and wheel, the latter made from the former."""
    folder = tmp_path_factory.mktemp("dist")
    build(REPOSITORY, "--outdir", str(folder))
    return folder


@pytest.fixture(scope="module")
def installed(released, tmp_path_factory) -> Call:
    """Calls Python with the wheel in place of the checkout."""
    site = tmp_path_factory.mktemp("unpacked_wheel")
    with zipfile.ZipFile(next(released.glob("*.whl"))) as wheel:
        wheel.extractall(site)

    def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PYTHONPATH": str(site)}
        return subprocess.run([sys.executable, *arguments], cwd=cwd, env=environment, capture_output=True, text=True)

    return call


def test_it_is_small_and_typed_and_has_its_licence(released):
    (wheel,) = released.glob(f"maxexp-{__version__}-*.whl")
    (sdist,) = released.glob(f"maxexp-{__version__}.tar.gz")
    assert wheel.stat().st_size < 5e6 and sdist.stat().st_size < 5e6
    names = zipfile.ZipFile(wheel).namelist()
    assert "maxexp/py.typed" in names
    c_files = {"synthesis/native/project/cnn.c", "synthesis/native/project/Makefile", "board/hal/libc/stdio.h"}
    assert {f"maxexp/{name}" for name in c_files} <= set(names)
    assert f"maxexp-{__version__}.dist-info/licenses/LICENSE" in names
    assert not [name for name in names if name.startswith(("tests/", "docs/", "experiments/"))]
    with tarfile.open(sdist) as archive:
        assert f"maxexp-{__version__}/experiments/zoo/cifar10_nascifarnet/weights.pth.tar" in archive.getnames()


def test_configurations_and_the_sweeper_are_in_it(installed, tmp_path):
    shown = "import maxexp.cli.run as m; print(m.conf_dir()); exit(m.main())"
    done = installed("-c", shown, "--cfg", "job", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "unpacked_wheel0/maxexp/conf" in done.stdout and "max_epochs" in done.stdout
    done = installed("-m", "maxexp", "-m", "+sweep=smoke", "hydra.sweeper.trials=0", cwd=tmp_path)
    assert done.returncode == 1 and "hydra.sweeper.trials=0: must be at least 1" in done.stderr


def test_the_zoo_is_in_it(installed, tmp_path):
    done = installed("-m", "maxexp.zoo", "list", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cifar10_nascifarnet" in done.stdout
    where = "from maxexp.run.checkpoints import locate_checkpoint as f; print(f('zoo:cifar10_nascifarnet', None))"
    assert Path(installed("-c", where, cwd=tmp_path).stdout.strip()).is_file()


def test_studies_are_in_it_and_are_written_to_as_copies(installed, tmp_path):
    done = installed("-m", "maxexp.study", "status", cwd=tmp_path)
    assert done.returncode == 0 and "synthesized_models" in done.stdout, done.stderr
    done = installed("-m", "maxexp.study", "restore", "cifar100", cwd=tmp_path)
    assert done.returncode == 0 and "runs restored" in done.stdout, done.stderr
    done = installed("-m", "maxexp.study", "report", "cifar100", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "experiments" / "cifar100" / "results.md").is_file()
    # The copy is the study from now on.
    done = installed("-m", "maxexp.study", "report", "cifar100", cwd=tmp_path)
    assert done.returncode == 0 and "copy" not in done.stdout, done.stderr


def test_teachers_are_a_package_of_their_own(installed, tmp_path):
    find = "from maxexp.run.checkpoints import locate_checkpoint as f; print(f('zoo:cifar10_teacher', None))"
    done = installed("-c", find, cwd=tmp_path)
    assert "pip install maxexp-teachers" in done.stderr
    build(TEACHERS, "--wheel", "--outdir", str(tmp_path))
    with zipfile.ZipFile(next(tmp_path.glob("maxexp_teachers-*.whl"))) as wheel:
        wheel.extractall(tmp_path)  # on the path, as the current folder of -c
    done = installed("-c", find, cwd=tmp_path)
    assert Path(done.stdout.strip()) == tmp_path / "maxexp_teachers" / "cifar10_teacher" / "weights.pth.tar"


def test_a_preset_without_its_teacher_says_so_at_once(installed, tmp_path):
    done = installed("-m", "maxexp", "+experiment=cifar10_cmsisnnet_qat", cwd=tmp_path)
    assert done.returncode == 1
    assert "pip install maxexp-teachers" in done.stderr and "Traceback" not in done.stderr


def test_one_version_stands_everywhere():
    version = f'version = "{__version__}"'
    assert version in (TEACHERS / "pyproject.toml").read_text()
    assert f"maxexp-teachers=={__version__}" in (REPOSITORY / "pyproject.toml").read_text()
    assert f"version: {__version__}" in (REPOSITORY / "CITATION.cff").read_text()
    assert f"## {__version__}" in (REPOSITORY / "CHANGELOG.md").read_text()
