"""The command that says what a trained network says of photos."""

import json

import pytest
from PIL import Image

import maxexp
from maxexp.cli.predict import main


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for name, color in (("a [b].png", "red"), ("c.jpg", "blue")):
        Image.new("RGB", (64, 48), color).save(folder / name)
    return folder


def test_classes_of_photos(photos, capsys):
    assert main(["zoo:cifar10_cmsisnnet", str(photos / "c.jpg"), "--top", "2"]) == 0
    said = capsys.readouterr().out
    best = maxexp.load("zoo:cifar10_cmsisnnet").predict(photos / "c.jpg")
    first, second, third, *_ = best.scores
    assert f"{first} {100 * best.score:.1f} %, {second} " in said and f"{third} " not in said


def test_a_folder_as_json(photos, capsys):
    assert main(["zoo:cifar10_cmsisnnet", str(photos), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["photo"] for line in lines] == [str(photos / "a [b].png"), str(photos / "c.jpg")]
    assert all(sum(line["scores"].values()) == pytest.approx(1) for line in lines)


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (["zoo:nope", "x.png"], "zoo:nope: no such network; there are"),
        (["nope.pth.tar", "x.png"], "checkpoint=nope.pth.tar: no such file"),
        (["zoo:cifar10_cmsisnnet", "nope.png"], "nope.png is not a readable image"),
    ],
)
def test_mistakes_are_one_line(words, part, capsys):
    assert main(words) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and part in said


def test_a_folder_without_pictures(tmp_path, capsys):
    assert main(["zoo:cifar10_cmsisnnet", str(tmp_path)]) == 1
    assert "no pictures in this folder" in capsys.readouterr().err
