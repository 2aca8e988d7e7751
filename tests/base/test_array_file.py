"""Files of numpy: whole ones are read as numpy reads them, and a header is not believed."""

import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from maxexp.base.array_file import read_archive, read_array
from maxexp.base.errors import FormatError
from tests.fuzz import fuzz, mutated

ARRAYS = arrays.arrays(
    st.one_of(arrays.integer_dtypes(), arrays.unsigned_integer_dtypes(), arrays.floating_dtypes(), st.just("<U3")),
    arrays.array_shapes(min_dims=0, min_side=0),
)


@given(ARRAYS, st.booleans())
def test_an_array_is_what_numpy_reads(tmp_path_factory, array, fortran):
    path = tmp_path_factory.mktemp("array") / "array.npy"
    np.save(path, np.asfortranarray(array) if fortran else array)
    read, expected = read_array(path), np.load(path)
    assert read.dtype == expected.dtype and read.shape == expected.shape
    assert read.tobytes() == expected.tobytes()
    assert read.flags.writeable


def write(path, header: bytes, data: bytes) -> None:
    path.write_bytes(b"\x93NUMPY\1\0" + len(header).to_bytes(2, "little") + header + data)


@pytest.mark.parametrize(
    ("header", "data", "message"),
    [
        (
            b"{'descr': '<i8', 'fortran_order': False, 'shape': (3, 100000, 100000), }",
            bytes(8),
            "announces 240,000,000",
        ),
        (b"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", bytes(15), "announces 16 bytes and holds 15"),
        (b"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", bytes(17), "announces 16 bytes and holds 17"),
        (b"{'descr': '|O', 'fortran_order': False, 'shape': (2,), }", bytes(16), "not an array"),
        (b"{'descr': '<i8', 'fortran_order': False, 'shape': (2, ", bytes(16), "not an array"),
        (b"{'descr': '<i3', 'fortran_order': False, 'shape': (2,), }", bytes(6), "not an array"),
        (b"{'descr': '<i8', 'fortran_order': True, 'shape': (0, 99999999999, 99999999999), }", b"", "is impossible"),
    ],
)
def test_a_header_is_not_believed(tmp_path, header, data, message):
    path = tmp_path / "array.npy"
    write(path, header, data)
    with pytest.raises(FormatError, match=message):
        read_array(path)


def test_an_archive_is_what_numpy_reads(tmp_path):
    path = tmp_path / "archive.npz"
    np.savez_compressed(path, a=np.arange(5, dtype=np.int16), b=np.array(["x", "yz"]))
    read = read_archive(path)
    assert {name: array.tolist() for name, array in read.items()} == {"a": [0, 1, 2, 3, 4], "b": ["x", "yz"]}


def test_an_archive_that_unpacks_to_far_more_is_refused(tmp_path):
    path = tmp_path / "archive.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.npy", "w") as file:
        for _ in range(300):
            file.write(bytes(1 << 20))
    with pytest.raises(FormatError, match="unpacks to 314,572,800 bytes"):
        read_archive(path)


def test_mutated_archives(tmp_path):
    path = tmp_path / "archive.npz"
    np.savez_compressed(path, a=np.arange(50, dtype=np.int16), b=np.array(["x", "yz"]))
    good = [path.read_bytes()]

    def parse(data: bytes) -> None:
        path.write_bytes(data)
        read_archive(path)

    fuzz(".npz", parse, mutated(good, [b"PK\3\4", b"PK\1\2", b"PK\5\6"]), good)
