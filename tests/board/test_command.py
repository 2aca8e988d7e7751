"""``python -m maxexp.board``: the boards' command."""

import pytest
from serial.tools.list_ports_common import ListPortInfo

from maxexp.cli.board import main
from tests.board.stand_ins import DETAILS, openocd_stand_in
from tests.board.test_firmware import PROGRAM

DAPLINK = (0x0D28, 0x0204)


@pytest.fixture
def plugged_in(monkeypatch, tmp_path) -> None:
    """A board, with its port and its drive."""
    port = ListPortInfo("/dev/ttyACM7")
    port.vid, port.pid, port.serial_number, port.product = *DAPLINK, "04441702", "DAPLink CMSIS-DAP"
    monkeypatch.setattr("maxexp.board.real.usb.comports", lambda: [port])
    (tmp_path / "DAPLINK").mkdir()
    (tmp_path / "DAPLINK" / "DETAILS.TXT").write_text(DETAILS)
    partition = type("Partition", (), {"mountpoint": str(tmp_path / "DAPLINK")})
    monkeypatch.setattr("maxexp.board.real.usb.psutil.disk_partitions", lambda: [partition])
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))


def test_list(plugged_in, capsys):
    assert main(["list"]) == 0
    port, drive = capsys.readouterr().out.splitlines()
    assert "/dev/ttyACM7" in port and "0d28:0204" in port and "04441702" in port
    assert "DAPLINK" in drive and "04441702" in drive


def test_list_of_nothing(monkeypatch, capsys):
    monkeypatch.setattr("maxexp.board.real.usb.comports", lambda: [])
    monkeypatch.setattr("maxexp.board.real.usb.psutil.disk_partitions", lambda: [])
    assert main(["list"]) == 0
    assert "no board" in capsys.readouterr().out


def test_recover_erases_the_one_board(plugged_in, tmp_path, capsys):
    program = openocd_stand_in(tmp_path / "bin")
    assert main(["recover", f"board.connection.openocd={program}"]) == 0
    words = (tmp_path / "bin" / "arguments.txt").read_text()
    assert "max32xxx mass_erase 0" in words and "adapter serial 04441702" in words
    assert "erased" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["recover", "board=emulated"], "no real board"),
        (["run", "nowhere", "board=none"], "board=none"),
        (["run", "nowhere", "board=emulated"], "nowhere: no such folder"),
        (["recover", "board.conection.port=x"], "board.conection: no such key"),
    ],
)
def test_what_cannot_be_is_one_line(arguments, says, plugged_in, compiler, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 1
    errors = capsys.readouterr().err.strip().splitlines()
    assert len(errors) == 1 and says in errors[0]


@pytest.mark.parametrize(("verdict", "code"), [("PASS", 0), ("FAIL", 1)])
def test_run_on_the_emulated_board(compiler, tmp_path, capsys, verdict, code):
    """A program of our own, which only says what synthesized firmware would."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "main.c").write_text(PROGRAM % ("", f'printf("*** {verdict} ***\\n"); return 0;'))
    assert main(["run", str(tmp_path / "project"), "board=emulated"]) == code
    said = capsys.readouterr().out
    assert f"*** {verdict} ***" in said and "0 cycles of the accelerator" in said
    assert {"firmware.elf", "serial.txt"} <= {path.name for path in (tmp_path / "project" / "build").iterdir()}
