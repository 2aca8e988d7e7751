"""What our firmware writes into the accelerator: as the maker's, of which digests are recorded.

The digests are of the contents that the emulator saw when the maker's firmware started the accelerator, synthesized
from the same memory map and integers. Where a map changes on purpose, record them anew:
``MAXEXP_RECORD=1 AI8X_SYNTHESIS=PATH python -m pytest -m ai8x tests/synthesis/native/test_contents.py``.
"""

import json
import os
from pathlib import Path

import pytest

from maxexp.board.emulator.contents import Contents, contents_after, contents_at_start
from maxexp.board.firmware import build_firmware
from maxexp.chip.check import check_fit
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.native.stores import stores
from maxexp.synthesis.stand_in import random_integers
from tests.synthesis.networks import LAYERS, PRESETS, SIGNALS

FILE = Path(__file__).with_name("makers_contents.json")
MAKERS: dict[str, dict[str, str]] = json.loads(FILE.read_text())
NAMES = [*PRESETS, *SIGNALS, *LAYERS, *(f"random {number}" for number in range(12))]


def ours(network, bits, seed) -> Contents:
    integer = random_integers(network, bits, seed)
    memory = check_fit(network, integer.bits, MAX78000).memory
    return contents_after(stores(configuration(memory, integer.layers)), MAX78000)


@pytest.mark.parametrize("name", NAMES)
def test_contents_are_those_of_the_makers_firmware(case, name):
    assert ours(*case(name)).digests() == MAKERS[name]


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_the_digests_are_of_what_the_maker_s_firmware_writes(synthesizer, synthesize, compiler, case, tmp_path, name):
    """Some ten seconds each."""
    network, bits, seed = case(name)
    synthesis = synthesize(synthesizer, network, tmp_path, bits, seed)
    image = build_firmware(synthesis.project, tmp_path / "build", MAX78000).image
    found = contents_at_start(image, MAX78000).digests()
    if "MAXEXP_RECORD" in os.environ:
        known = json.loads(FILE.read_text()) | {name: found}
        FILE.write_text(json.dumps(known, indent=1) + "\n")
    else:
        assert found == MAKERS[name]


def test_differences_name_the_place(case):
    network, bits, seed = case("residual")
    found, other = ours(network, bits, seed), ours(network, bits, seed + 1)
    assert found.differences(found) == []
    lines = found.differences(other)
    assert any(line.startswith("kernels of processor 0, column 0: ") for line in lines)
    assert any(line.startswith("quadrant 1, bias ") for line in lines)
    assert all("POST" in line for line in lines if line.startswith("layer "))
    assert found.digests()["kernels"] != other.digests()["kernels"]
