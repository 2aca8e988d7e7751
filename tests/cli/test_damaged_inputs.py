"""Files that nobody wrote on purpose, given to the command that reads them: one line, with the file and the cause."""

import sys

import pytest

from maxexp.base.yaml_file import MOST_BYTES
from maxexp.cli import camera, study


def npy(shape: str) -> bytes:
    header = f"{{'descr': '<i8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header.encode() + bytes(864)


def said(command, monkeypatch, capsys, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["command", *words])
    assert command.main() == 1
    text = capsys.readouterr().err.rstrip("\n")
    assert "\n" not in text and "error: " in text
    return text


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (npy("(4294967296, 65536, 6)"), "announces 13,510,798,882,111,488 bytes and holds 864"),
        (npy("(3, 6, 99999999999999999999)"), "not an array"),
        (npy("(1, 6, 6"), "not an array"),
        (b"PK\3\4junk", "not an array"),
        (b"", "not an array"),
    ],
)
def test_arrays(tmp_path, monkeypatch, capsys, content, cause):
    path = tmp_path / "x%20'.npy"
    path.write_bytes(content)
    text = said(camera, monkeypatch, capsys, "convert", str(path), str(tmp_path / "x.png"))
    assert str(path) in text and cause in text
    assert not (tmp_path / "x.png").exists()


@pytest.mark.parametrize(
    "content", ["title: x\n bad: [\n", "[", "\0", "a" * (MOST_BYTES + 1), "entries: !!int x", "5"]
)
def test_studies(tmp_path, monkeypatch, capsys, content):
    path = tmp_path / "experiments" / "mine" / "study.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    text = said(study, monkeypatch, capsys, "status", str(path.parent))
    assert str(path) in text and text.endswith("; mend the file")
