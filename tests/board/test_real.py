"""A real board's ways, on a pseudo-terminal, a folder and stand-in programs: nothing here was near a board."""

import os
import time
from pathlib import Path

import pytest
from serial import Serial
from serial.tools.list_ports_common import ListPortInfo

from maxexp.base.errors import BoardError, ConfigError
from maxexp.base.serial_port import open_port
from maxexp.board.board import open_board
from maxexp.board.config import BoardConfig, BoardKind, ConnectionConfig, FlashMethod
from maxexp.board.real.board import BAUD_RATE, QUIET_S, RealBoard, daplink, read_result
from maxexp.board.real.flash_command import flash_by_command
from maxexp.board.real.usb import find_port, probe_of
from maxexp.board.serial_output import FirmwareResult
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.board.stand_ins import (
    DETAILS,
    FAILED,
    RECORDED,
    DriveStandIn,
    SerialStandIn,
    saying,
)

BYTES = RECORDED.replace("\n", "\r\n").encode()


def read(stand_in: SerialStandIn, transcript: Path, timeout_s: float = 2):
    with open_port(stand_in.name, BAUD_RATE, QUIET_S, BoardError) as port:
        stand_in.start()
        return read_result(port, timeout_s, transcript)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_pass_is_read_to_the_last_line(tmp_path, size):
    pieces = [BYTES[i : i + size] for i in range(0, len(BYTES), size)]
    with SerialStandIn(saying(*pieces, pause_s=0.2 / len(pieces))) as board:
        result = read(board, tmp_path / "serial.txt")
    assert result.passed and result.inference_us == 4564
    assert result.logits == {0: -24897, 1: 199318}
    assert (tmp_path / "serial.txt").read_bytes() == BYTES


def test_fail_is_read_with_its_mismatch(tmp_path):
    with SerialStandIn(saying(FAILED.encode())) as board:
        result = read(board, tmp_path / "serial.txt")
    assert result.passed is False
    assert (result.mismatches[0].expected, result.mismatches[0].found) == (0xFFFC3376, 1)


def test_the_end_of_what_an_earlier_firmware_said_is_no_verdict(tmp_path):
    """Its PASS comes while the new one is being written."""
    old = RECORDED[RECORDED.index("Inference Test net") :].encode()
    with SerialStandIn(saying(old, b"\xff\x00", FAILED.encode(), pause_s=0.7)) as board:
        assert read(board, tmp_path / "serial.txt", timeout_s=5).passed is False


@pytest.mark.parametrize(
    ("speech", "last"),
    [
        (saying(), "not a word"),
        (saying(b"\xfe\xff\x00\x80garb\x99ge"), "garb.*ge"),
        (saying(b"Waiting...\r\n\r\n*** CNN Inference Test net ***\r\n"), "last words: .*CNN Inference Test net"),
        (saying(*[b"noise\n"] * 30, pause_s=0.05), "last words: 'n"),
    ],
    ids=["silence", "garbage", "a start only", "endless noise"],
)
def test_no_verdict_is_an_error_in_time(tmp_path, speech, last):
    start = time.monotonic()
    with (
        SerialStandIn(speech) as board,
        pytest.raises(BoardError, match=f"neither PASS nor FAIL within 1 s.*{last}"),
    ):
        read(board, tmp_path / "serial.txt", timeout_s=1)
    assert time.monotonic() - start < 8
    assert (tmp_path / "serial.txt").exists()


def test_unplugging(tmp_path):
    with SerialStandIn(lambda master: None) as board:
        board._speech = lambda master: (os.write(master, b"Waiting...\n"), time.sleep(0.2), board.unplug())
        with pytest.raises(BoardError, match=f"serial port {board.name}: .*; ports present:"):
            read(board, tmp_path / "serial.txt", timeout_s=5)
    assert (tmp_path / "serial.txt").read_bytes() == b"Waiting...\n"


@pytest.mark.parametrize("method", ["send_break", "reset_input_buffer"])
def test_a_port_that_is_gone_is_one_line_whatever_is_done_with_it(method):
    """pyserial raises termios.error here, which is neither its own error nor an OSError."""
    with (
        SerialStandIn(saying()) as board,
        pytest.raises(BoardError, match=f"serial port {board.name}: .*; ports present:"),
        open_port(board.name, BAUD_RATE, QUIET_S, BoardError) as port,
    ):
        board.unplug()
        getattr(port, method)()


def test_a_transcript_that_cannot_be_written_is_no_error_of_the_port():
    with SerialStandIn(saying(BYTES)) as board, pytest.raises(OSError, match="No space left on device"):
        read(board, Path("/dev/full"))


def port_info(device: str, ids: tuple[int, int] | None, serial_number: str | None = None) -> ListPortInfo:
    info = ListPortInfo(device)
    info.vid, info.pid = ids or (None, None)
    info.serial_number = serial_number
    return info


DAPLINK, FTDI = (0x0D28, 0x0204), (0x0403, 0x6015)


@pytest.fixture
def plug_in(monkeypatch):
    def plug_in(*ports: ListPortInfo) -> None:
        monkeypatch.setattr("maxexp.board.real.usb.comports", lambda: list(ports))

    return plug_in


def test_the_port_is_found_by_its_usb_id(plug_in):
    bridge, adapter = port_info("/dev/ttyUSB0", FTDI, "F"), port_info("/dev/ttyACM0", DAPLINK, "A")
    plug_in(port_info("/dev/ttyS0", None), bridge, adapter)
    found = find_port(ConnectionConfig())
    assert found.device == "/dev/ttyACM0"
    assert probe_of(ConnectionConfig(), found) == "A"
    other = find_port(ConnectionConfig(port_ids=["0403:6015"]))
    assert (other.device, probe_of(ConnectionConfig(), other)) == ("/dev/ttyUSB0", None)
    assert probe_of(ConnectionConfig(probe="P"), other) == "P"


def test_several_boards_have_to_be_told_apart(plug_in):
    plug_in(port_info("/dev/ttyACM0", DAPLINK, "A"), port_info("/dev/ttyACM1", DAPLINK, "B"))
    with pytest.raises(BoardError, match="/dev/ttyACM0 .*A.*/dev/ttyACM1 .*B.*board.connection.port="):
        find_port(ConnectionConfig())
    assert find_port(ConnectionConfig(probe="B")).device == "/dev/ttyACM1"
    named = find_port(ConnectionConfig(port="/dev/ttyACM1"))
    assert probe_of(ConnectionConfig(), named) == "B"


def test_a_board_with_two_serial_ports_has_to_be_told_which(plug_in):
    """The evaluation kit: its debug adapter, and the bridge on it."""
    bridge = port_info("/dev/ttyUSB0", FTDI, "F")
    adapters = [port_info("/dev/ttyACM0", DAPLINK, "A"), port_info("/dev/ttyACM1", DAPLINK, "B")]
    kit = ConnectionConfig(port_ids=["0d28:0204", "0403:6015"], probe="B")
    plug_in(bridge, *adapters)
    says = r"several serial ports may be the board's: /dev/ttyACM1 .*B\), /dev/ttyUSB0 .0403:6015, .*F\); .*port="
    with pytest.raises(BoardError, match=says):
        find_port(kit)
    plug_in(bridge)
    assert find_port(kit).device == "/dev/ttyUSB0"


def test_no_board(plug_in):
    plug_in(port_info("/dev/ttyS0", None))
    with pytest.raises(BoardError, match="no board found: no serial port has a USB id of 0d28:0204.*ttyS0"):
        find_port(ConnectionConfig())


@pytest.fixture
def drive(tmp_path):
    stand_ins = []

    def drive(**behaviour) -> DriveStandIn:
        stand_ins.append(DriveStandIn(tmp_path / "DAPLINK", **behaviour))
        stand_ins[-1].start()
        return stand_ins[-1]

    yield drive
    for stand_in in stand_ins:
        stand_in.stop()


def test_drag_and_drop(tmp_path, firmware, drive):
    board = drive()
    (board.folder / "FAIL.TXT").write_text("of last time")
    daplink.flash(ConnectionConfig(drive=str(board.folder)), None, firmware.hex)
    assert board.written == [firmware.hex.read_bytes()]


def test_drag_and_drop_that_fails(firmware, drive):
    board = drive(error="error: The interface firmware FAILED to reset/halt the target MCU\ntype: target\n")
    with pytest.raises(BoardError, match="FAILED to reset/halt the target MCU type: target"):
        daplink.flash(ConnectionConfig(drive=str(board.folder)), None, firmware.hex)


def test_a_drive_that_does_not_come_back(firmware, drive):
    board = drive(comes_back=False)
    with pytest.raises(BoardError, match="did not come back within 1 s.*openocd"):
        daplink.flash(ConnectionConfig(drive=str(board.folder), flash_timeout_s=1), None, firmware.hex)


def test_drives_are_found_among_those_mounted(tmp_path, monkeypatch):
    class Partition:
        def __init__(self, folder: Path) -> None:
            self.mountpoint = str(folder)

    folders = {name: tmp_path / name for name in ("home", "DAPLINK", "DAPLINK1")}
    for name, folder in folders.items():
        folder.mkdir()
        if name != "home":
            (folder / "DETAILS.TXT").write_text(DETAILS.replace("04441702", name))
    mounted = [Partition(folder) for folder in folders.values()]
    monkeypatch.setattr("maxexp.board.real.usb.psutil.disk_partitions", lambda: mounted)
    assert daplink.find_drive(ConnectionConfig(), "DAPLINK1") == folders["DAPLINK1"]
    with pytest.raises(BoardError, match="several DAPLink drives"):
        daplink.find_drive(ConnectionConfig(), None)
    with pytest.raises(BoardError, match="no DAPLink drive is mounted"):
        daplink.find_drive(ConnectionConfig(), "another")
    with pytest.raises(BoardError, match="no DETAILS.TXT"):
        daplink.find_drive(ConnectionConfig(drive=str(folders["home"])), None)


def by_command(command: str, **keys) -> ConnectionConfig:
    return ConnectionConfig(flash=FlashMethod.command, command=command, **keys)


def test_a_command_gets_the_files(tmp_path, firmware):
    (tmp_path / "out").mkdir()
    flash_by_command(by_command(f"cp {{elf}} {{hex}} '{{bin}}' {tmp_path}/out"), firmware)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"firmware.elf", "firmware.hex", "firmware.bin"}


@pytest.mark.parametrize(
    ("command", "error", "match"),
    [
        ("ls /nowhere/{hex}", BoardError, "ended with code 2: .*No such file"),
        ("no-such-tool", BoardError, "No such file or directory"),
        ("tool {fles}", ConfigError, r"'fles'; the files are \{elf\}"),
        ("tool '", ConfigError, "No closing quotation"),
        ("sleep 60", BoardError, "stopped after 1 s"),
    ],
)
def test_a_command_that_cannot_work(firmware, command, error, match):
    with pytest.raises(error, match=match):
        flash_by_command(by_command(command, flash_timeout_s=1), firmware)


@pytest.mark.parametrize("method", FlashMethod)
def test_a_whole_run(tmp_path, firmware, drive, method, monkeypatch, plug_in, compiler):
    """The port is open before the program is written; what is said at once after the reset is not lost."""
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))
    (tmp_path / "bin").mkdir()
    reset = tmp_path / "reset"

    def speak(master: int) -> None:
        while not reset.exists():
            time.sleep(0.01)
        os.write(master, BYTES)

    writer = tmp_path / "bin" / "openocd"
    writer.write_text(f"#!/bin/sh\ntouch {reset}\n")
    writer.chmod(0o755)
    usb_drive = drive()
    monkeypatch.setattr(Serial, "send_break", lambda self, duration=0.25: reset.touch())
    with SerialStandIn(speak) as stand_in:
        plug_in(port_info(stand_in.name, DAPLINK, "A"))
        connection = ConnectionConfig(
            port=stand_in.name,
            flash=method,
            openocd=str(writer),
            drive=str(usb_drive.folder),
            command=f"{writer} {{elf}}",
            timeout_s=3,
        )
        stand_in.start()
        board = open_board(BoardConfig(BoardKind.max78000fthr, connection=connection), MAX78000)
        assert isinstance(board, RealBoard) and board.source == "measured"
        run = board.run(firmware, tmp_path / "serial.txt")
    assert run.result.passed and run.result.inference_us == 4564 and run.cycles is None
    assert usb_drive.written == ([firmware.hex.read_bytes()] if method is FlashMethod.daplink else [])


@pytest.fixture
def run_after_drop(tmp_path, firmware, plug_in, monkeypatch):
    """``run_after_drop(ids)``: a program that says PASS as soon as it is dropped, and FAIL after a break."""
    monkeypatch.setenv("MAXEXP_CACHE", str(tmp_path / "cache"))

    def run_after_drop(ids: tuple[int, int]) -> FirmwareResult:
        with SerialStandIn(saying(FAILED.encode(), pause_s=2 * QUIET_S)) as stand_in:

            def drop(*_: object) -> None:
                os.write(stand_in._master, BYTES)
                time.sleep(0.1)  # until it has arrived

            plug_in(port_info(stand_in.name, ids, "A"))
            monkeypatch.setattr(daplink, "flash", drop)
            monkeypatch.setattr(Serial, "send_break", lambda self, duration=0.25: stand_in.start())
            connection = ConnectionConfig(port=stand_in.name, flash=FlashMethod.daplink, timeout_s=3)
            board = open_board(BoardConfig(BoardKind.max78000fthr, connection=connection), MAX78000)
            return board.run(firmware, tmp_path / "serial.txt").result

    return run_after_drop


def test_what_was_said_before_the_break_is_forgotten(run_after_drop):
    """The adapter starts the program by itself, and the break once more."""
    assert run_after_drop(DAPLINK).passed is False


def test_there_is_no_break_on_a_port_that_is_not_the_adapters(run_after_drop):
    """Nothing would be reset, and what the program has said would be lost."""
    assert run_after_drop(FTDI).passed is True


def test_what_is_missing_is_warned_of_before_it_is_needed(plug_in, caplog, compiler):
    plug_in(port_info("/dev/ttyACM0", DAPLINK, "A"))
    config = BoardConfig(BoardKind.max78000fthr, connection=ConnectionConfig(openocd="/nowhere/openocd"))
    open_board(config, MAX78000)
    assert "openocd=/nowhere/openocd: no such program" in caplog.text and "MAXIM_PATH" in caplog.text
    plug_in()
    open_board(config, MAX78000)
    assert "no board found" in caplog.text
