"""Any text has a file name of its own, which stays within its folder."""

import os
from pathlib import Path, PurePosixPath
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository

from maxexp.base.languages.file_name import file_name
from tests.base.languages.texts import texts

HARD = ("../../etc/passwd", ".", "..", "", "/", "a/b", "~", "~2f", ".hidden", "-x", "a" * 300, "é" * 200, "a%20b")


@given(texts)
@example("../x")
@example("~2f")
def test_it_is_one_part_of_a_path(text):
    name = file_name(text)
    assert PurePosixPath(name).name == name and name not in (".", "..") and not name.startswith((".", "-"))
    assert len(name) <= 100 and quote(name) == name


@given(texts, texts)
def test_different_texts_have_different_names(one, other):
    assert (file_name(one) == file_name(other)) == (one == other)


def test_so_have_long_and_hard_ones():
    hard = [*HARD, "a" * 301, "a" * 300 + "/", "A" * 300]
    assert len({file_name(text) for text in hard}) == len(hard)


@settings(max_examples=30, deadline=None)
@given(texts)
@example("a%2fb")
@example("#1?")
def test_mlflow_keeps_and_finds_an_artifact_of_this_name(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("artifact")
    repository = LocalArtifactRepository((folder / "kept").as_uri())
    path = folder / f"{file_name(text)}-q.pth.tar"
    path.write_text("x")
    repository.log_artifact(str(path), "quantization")
    assert Path(repository.download_artifacts(f"quantization/{path.name}")).read_text() == "x"
    assert os.listdir(folder / "kept" / "quantization") == [path.name]


@pytest.mark.parametrize("name", ["nascifarnet", "wrn16_2", "my-net.v2", "smoke-0a1b2c3d.final"])
def test_plain_names_stay_as_they_are(name):
    assert file_name(name) == name
