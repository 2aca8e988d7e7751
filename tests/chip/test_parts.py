"""The parts: figures that tools and C files repeat, and choosing one."""

import re
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from maxexp.base.errors import BoardError, ConfigError
from maxexp.board.board import open_board
from maxexp.board.compilers import HAL
from maxexp.board.config import BoardConfig, BoardKind, ConnectionConfig
from maxexp.chip.config import DeviceConfig, find_part, known_parts
from maxexp.run.composition import compose_config, conf_dir


def test_each_part_has_a_configuration():
    assert {Path(file).stem for file in Path(conf_dir(), "device").glob("*.yaml")} == set(known_parts())
    for name, part in known_parts().items():
        assert compose_config([f"device={name}"]).device.part is part is find_part(name)


@pytest.mark.parametrize(("name", "weights"), [("max78000", 442_368), ("max78002", 2_396_160)])
def test_weight_memory_is_as_large_as_the_maker_says(name, weights):
    """docs/hardware.md, Memories and limits."""
    assert find_part(name).weight_bytes == weights


def test_unknown_parts_and_impossible_clocks_are_refused():
    with pytest.raises(ConfigError, match="device.name=max78001: no such part; there are max78000, max78002"):
        DeviceConfig("max78001", 50.0)
    with pytest.raises(ConfigError, match="device.clock_mhz=0: must be above 0"):
        DeviceConfig("max78000", 0)
    with pytest.raises(ConfigError, match="device.clock_mhz=60.0: max78000 runs at most at 50"):
        DeviceConfig("max78000", 60.0)


def test_a_part_is_a_constant(max78000):
    with pytest.raises(FrozenInstanceError):
        max78000.limits.layers = 33


@pytest.mark.parametrize("channels", range(1, 300))
def test_channels_take_whole_words_in_several_passes(max78000, channels):
    passes, used = max78000.processors.passes(channels), max78000.processors.used(channels)
    assert passes == next(n for n in range(1, 9) if 64 * n >= channels)
    assert used == (channels if passes == 1 else next(n for n in range(4, 65, 4) if n * passes >= channels))


def test_every_instance_is_where_the_maker_says(max78000):
    """docs/hardware.md, Data layout."""
    expected = [0x50400000 + q * 0x400000 + rank * 0x8000 for q in range(4) for rank in range(4)]
    assert [max78000.instance_address(instance) for instance in range(16)] == expected


def test_the_linker_script_has_the_memories_of_the_part(max78000):
    text = (HAL / max78000.tools.linker_script).read_text()
    for name, region in (("FLASH", max78000.addresses.flash), ("SRAM", max78000.addresses.sram)):
        start, size = re.search(rf"{name} .*ORIGIN = (0x\w+), LENGTH = (\d+)K", text).groups()
        assert (int(start, 16), 1024 * int(size)) == (region.start, region.size)


def test_the_hardware_layer_has_the_interrupt_of_the_part(max78000):
    assert f"CNN_IRQn = {max78000.addresses.interrupt}" in (HAL / "mxc.h").read_text()


def test_boards_of_another_part_are_refused(max78000, max78002):
    real = BoardConfig(BoardKind.max78000fthr, connection=ConnectionConfig())
    other = replace(max78000, name="max78000b", toolchain=replace(max78000.tools, boards={"kit": "Kit"}))
    with pytest.raises(ConfigError, match="board=max78000fthr: has no max78000b; its boards are kit"):
        open_board(real, other)
    for config in (real, BoardConfig(BoardKind.emulated)):
        with pytest.raises((ConfigError, BoardError), match="device=max78002: "):
            open_board(config, max78002)
