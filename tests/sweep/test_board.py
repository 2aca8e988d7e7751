"""Trials of several workers on one board."""

import os
import sys
from threading import Event

import pytest

from maxexp.sweep.workers.results import results
from maxexp.sweep.workers.study import SweepStudy
from tests.board.stand_ins import SerialStandIn
from tests.sweep.conftest import call

PROGRAMMER = """
import sys, time
from pathlib import Path
from maxexp.board.emulator.run import run_emulated
from maxexp.chip.parts.max78000 import PART

folder, image = map(Path, sys.argv[1:])
diary = (folder / "diary.txt").open("a", buffering=1)
print("written", file=diary)
text = run_emulated(image, PART).result.text
time.sleep(2)  # long enough for the other worker to come meanwhile
said = folder / "said.part"
said.write_text(text)
said.rename(folder / "said.txt")
"""
"""Stands in for a debug adapter: the program runs on the emulator, what it says goes to the serial port."""


@pytest.mark.ai8x
@pytest.mark.timeout(600)
def test_trials_wait_for_the_board(tmp_path, checkout, compiler):
    """Nobody's program is written before the one before it has given its verdict, and all are measured."""
    (tmp_path / "programmer.py").write_text(PROGRAMMER)
    over = Event()

    def speak(master: int) -> None:
        while not over.wait(0.05):
            if (tmp_path / "said.txt").exists():
                text = (tmp_path / "said.txt").read_bytes()
                (tmp_path / "said.txt").unlink()
                with (tmp_path / "diary.txt").open("a") as diary:
                    print("said", file=diary)
                os.write(master, text)

    with SerialStandIn(speak) as port:
        port.start()
        try:
            done = call(*arguments(tmp_path, checkout, port.name), cwd=tmp_path)
        finally:
            over.set()
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "diary.txt").read_text().split() == ["written", "said"] * 4
    found = results(SweepStudy.open(f"sqlite:///{tmp_path}/mlruns/sweeps.db", "board"))
    assert len({result.params["model.layers.conv1.out_channels"] for result in found}) == 4
    assert all(result.losses[0] > 0 for result in found)


def arguments(folder, checkout, port: str) -> list[str]:
    """Four networks, two workers."""
    connection = {
        "port": port,
        "flash": "command",
        "command": f"'{sys.executable} {folder}/programmer.py {folder} {{bin}}'",
        "timeout_s": 60,
    }
    return [
        "hydra/sweeper=maxexp",
        "hydra.sweeper.study=board",
        "hydra.sweeper.trials=4",
        "hydra.sweeper.workers=2",
        "hydra.sweeper.objectives={board/latency_us:minimize}",
        "model.layers.conv1.out_channels=4,8,12,16",
        "stages=[train,quantize,synthesize,deploy]",
        "trainer.max_epochs=1",
        "tracking.system_metrics=false",
        f"synthesis.path={checkout}",
        "synthesis=ai8x",
        "board=max78000fthr",
        "board.images=0",
        *(f"board.connection.{key}={value}" for key, value in connection.items()),
    ]
