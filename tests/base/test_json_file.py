"""JSON: what is none is one line."""

import pytest

from maxexp.base.errors import FormatError
from maxexp.base.json_file import parse_json, read_json


@pytest.mark.parametrize("content", [b"", b"{", b'{"a": 1', b"[" * 100_000, b"9" * 5000, b"\xff\xfe\xff", b'"\\ud8"'])
def test_what_is_no_json(tmp_path, content):
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(FormatError, match="it is no JSON") as caught:
        read_json(tmp_path / "file.json")
    assert "\n" not in str(caught.value)


def test_json():
    assert parse_json('{"a": [1, 2.5, null, "x"]}') == {"a": [1, 2.5, None, "x"]}
