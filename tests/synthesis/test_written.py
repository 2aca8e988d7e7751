"""What firmware writes, read from the sources of two synthesizers and compared."""

import pytest

from maxexp.base.errors import SynthesisError
from maxexp.chip.check import check_fit
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.stand_in import random_integers
from maxexp.synthesis.written import check_equal, written_by, written_by_makers
from tests.synthesis.makers_form import write_makers_form
from tests.synthesis.networks import RESIDUAL


@pytest.fixture
def ours(make_network, max78000, tmp_path):
    network = make_network(RESIDUAL, (3, 16, 16))
    integer = random_integers(network, {}, 0)
    found = configuration(check_fit(network, {}, max78000).memory, integer.layers)
    write_makers_form(tmp_path, found)
    return found


def test_equal_firmware_has_no_difference(ours, tmp_path, max78000):
    assert written_by(ours) == written_by_makers(tmp_path, max78000)
    check_equal(ours, tmp_path)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("cnn.c", "0x50100010) = 0x00010011", "0x50100010) = 0x00010010", "registers at 0x50100010: 0x00010011 and"),
        ("cnn.c", "  *((volatile uint32_t *) 0x50100010) = 0x00010011; // Rows\n", "", "0x00010011 and nothing"),
        ("cnn.c", "0x50508000, bias_1", "0x50508004, bias_1", "biases at 0x50508000: 0x.* and nothing"),
        ("weights.h", "0x50180000, 0x", "0x50180004, 0x", "kernels at 0x50180000: .* and nothing"),
        ("weights.h", "#define KERNELS", "#define OTHERS", "are not as ai8x-synthesis of August 2024"),
        ("cnn.c", "int cnn_configure", "int configure", "are not as ai8x-synthesis of August 2024"),
    ],
)  # fmt: skip
def test_any_difference_is_found(ours, tmp_path, file, old, new, says):
    text = (tmp_path / file).read_text()
    assert old in text
    (tmp_path / file).write_text(text.replace(old, new))
    with pytest.raises(SynthesisError, match=says):
        check_equal(ours, tmp_path)


def test_a_project_without_sources(ours, tmp_path):
    (tmp_path / "cnn.c").unlink()
    with pytest.raises(SynthesisError, match="cannot be compared"):
        check_equal(ours, tmp_path)
