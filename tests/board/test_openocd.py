"""Flashing by OpenOCD, as far as stand-ins and the maker's own program without a board show it."""

import os
from pathlib import Path

import pytest

from maxexp.base.errors import BoardError
from maxexp.board.config import ConnectionConfig
from maxexp.board.real.board import openocd
from tests.board.stand_ins import openocd_stand_in


def test_openocd_is_called_as_the_maker_documents_it(tmp_path, monkeypatch, firmware):
    openocd_stand_in(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    config = ConnectionConfig(openocd_scripts="/fork/scripts")
    openocd.flash(config, "04441702", firmware.elf)
    words = (tmp_path / "bin" / "arguments.txt").read_text().splitlines()
    assert words == [
        *("-s", "/fork/scripts", "-f", "interface/cmsis-dap.cfg", "-f", "target/max78000.cfg"),
        *("-c", "if {[catch {adapter serial 04441702}]} {cmsis_dap_serial 04441702}"),
        *("-c", f"program {{{firmware.elf}}} verify reset exit"),
    ]
    (tmp_path / "bin" / "arguments.txt").unlink()
    openocd.mass_erase(ConnectionConfig(), None)
    words = (tmp_path / "bin" / "arguments.txt").read_text().splitlines()
    assert words[-1] == "init; reset halt; max32xxx mass_erase 0; exit"
    assert "-s" not in words


def test_the_sdks_openocd_goes_before_one_on_path(tmp_path, monkeypatch):
    """A distribution's does not know the part; but a path that is given is meant."""
    on_path = openocd_stand_in(tmp_path / "bin")
    of_sdk = openocd_stand_in(tmp_path / "sdk" / "Tools" / "OpenOCD")
    (tmp_path / "sdk" / "Libraries").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    monkeypatch.delenv("MAXIM_PATH", raising=False)
    assert openocd.check_openocd(ConnectionConfig()) == str(on_path)
    monkeypatch.setenv("MAXIM_PATH", str(tmp_path / "sdk"))
    assert openocd.check_openocd(ConnectionConfig()) == str(of_sdk)
    assert openocd.check_openocd(ConnectionConfig(openocd=str(on_path))) == str(on_path)


@pytest.mark.parametrize(
    ("says", "means"),
    [
        ("Error: unable to find a matching CMSIS-DAP device", "finds no debug adapter"),
        ("Error: unable to find CMSIS-DAP device", "finds no debug adapter"),
        ("embedded:startup.tcl:26: Error: Can't find target/max78000.cfg", "no script target/max78000.cfg"),
        ("Error: Error connecting DP: cannot read IDR", "maxexp.board recover"),
        ("Error: LIBUSB_ERROR_ACCESS", "udev"),
        ("Error: flash driver 'max32xxx' not found", "does not know the part; only the maker's fork"),
        ("Info : hello\nError: something new\nInfo : bye", "failed: Error: something new$"),
        ("", "failed: .+"),
    ],
)
def test_what_openocd_says_is_explained(tmp_path, firmware, says, means):
    program = openocd_stand_in(tmp_path / "bin", says, code=1)
    with pytest.raises(BoardError, match=means):
        openocd.flash(ConnectionConfig(openocd=str(program)), None, firmware.elf)


def test_openocd_that_hangs_is_stopped(tmp_path, firmware):
    program = tmp_path / "openocd"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    with pytest.raises(BoardError, match="stopped after 1 s"):
        openocd.flash(ConnectionConfig(openocd=str(program), flash_timeout_s=1), None, firmware.elf)


def test_the_makers_own_openocd_takes_our_command_line(firmware):
    """The one that comes with ai8x-synthesis. Where it runs at all, it ends with: no debug adapter."""
    folder = Path(os.environ.get("AI8X_SYNTHESIS", "/nowhere"), "openocd")
    program = folder / "bin" / f"{os.uname().sysname}_{os.uname().machine}" / "openocd"
    if not program.exists() or os.system(f"{program} --version 2> /dev/null") != 0:
        pytest.skip("no OpenOCD of the maker that runs here (AI8X_SYNTHESIS; it needs libusb-0.1 and libhidapi)")
    files = ["interface/cmsis-dap.cfg", "max78000.cfg"]
    config = ConnectionConfig(openocd=str(program), openocd_scripts=str(folder), openocd_files=files)
    for probe in (None, "04441702"):
        with pytest.raises(BoardError, match="finds no debug adapter"):
            openocd.flash(config, probe, firmware.elf)
        with pytest.raises(BoardError, match="finds no debug adapter"):
            openocd.mass_erase(config, probe)
