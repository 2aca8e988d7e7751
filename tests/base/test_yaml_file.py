"""YAML within bounds: what is sound is read as OmegaConf reads it, all else is one error with its place."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from omegaconf import OmegaConf

from maxexp.base.errors import FormatError
from maxexp.base.yaml_file import MOST_BYTES, BoundedLoader, read_yaml
from tests.fuzz import fuzz, mutated

PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)
SOUND = b"""title: "x"   # a comment
layers: &layers {conv1: {op: conv2d, out_channels: 16, bias: true}, fc: {op: linear, width: 1e-3}}
again: *layers
list: [1, 0x1f, 1_000, 2026-11-30, .inf, ~, 'y']
text: |
  several
  lines
"""
WORDS = [
    b"&a ",
    b"*layers",
    b"<<: ",
    b"!!int ",
    b"!!binary ",
    b"!!set {a}",
    b"!!python/name:os.system ",
    b"? ",
    b"- ",
    b"  ",
]


@given(PLAIN)
def test_sound_files_are_read_as_they_were_written(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("yaml") / "file.yaml"
    # All in quotes and with tags: 1e5 is a text to PyYAML and a number to OmegaConf.
    path.write_text(yaml.safe_dump(content, default_style='"'))
    assert read_yaml(path) == content


def test_omegaconf_reads_the_same(tmp_path):
    (tmp_path / "file.yaml").write_bytes(SOUND)
    assert read_yaml(tmp_path / "file.yaml") == OmegaConf.to_container(OmegaConf.load(tmp_path / "file.yaml"))


def bomb() -> str:
    levels = "abcdefghij"
    lines = [f"a: &a [{', '.join(['x'] * 9)}]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{last}'] * 9)}]" for last, name in zip(levels, levels[1:], strict=False)
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (bomb(), "unfolds to more than 10,000 values"),
        ("a: &a [1, *a]", "a value that contains itself"),
        ("[" * 60 + "]" * 60, "more than 50 levels of nesting"),
        ("[" * 100_000, "more than 50 levels of nesting"),
        ("a: " + "9" * 5000, "cannot be read"),
        ("a: 0b_", "cannot be read"),
        ("a: !!int x", "cannot be read"),
        ("title: x\n bad: [", "line 2, column 5"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: 1\na: 2", "found duplicate key a"),
        ("a" * (MOST_BYTES + 1), "more than 262,144 bytes"),
    ],
)
def test_what_is_beyond_bounds_is_one_line(tmp_path, text, message):
    (tmp_path / "file.yaml").write_text(text)
    with pytest.raises(FormatError, match=message) as caught:
        read_yaml(tmp_path / "file.yaml")
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "file.yaml").write_bytes(b"a: \xff\xfe\x00")
    with pytest.raises(FormatError, match="it is no YAML"):
        read_yaml(tmp_path / "file.yaml")


def test_the_loader_names_the_file(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("a: [")
    with path.open() as file, pytest.raises(yaml.YAMLError, match="file.yaml"):
        yaml.load(file, Loader=BoundedLoader)


def test_mutated_files(tmp_path):
    path = tmp_path / "file.yaml"

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        read_yaml(path)

    fuzz("YAML", parse, mutated([SOUND], WORDS), [SOUND])
