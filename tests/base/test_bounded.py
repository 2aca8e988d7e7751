"""Files of any size, and those that have none."""

from pathlib import Path

import pytest

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import FormatError


def test_a_file_up_to_the_size_is_read(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"1234")
    assert read_bounded(path, 4) == b"1234"
    with pytest.raises(FormatError, match="more than 3 bytes"):
        read_bounded(path, 3)


def test_a_device_without_end_is_refused():
    with pytest.raises(FormatError, match="more than 1,000 bytes"):
        read_bounded(Path("/dev/zero"), 1000)
