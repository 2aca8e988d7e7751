"""The camera's command line in this process, and pictures to convert."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from maxexp.cli.camera import main
from tests.camera.board import Board

unhurried = settings(deadline=None, max_examples=50)
"""For properties; a machine under load is not an error."""


@pytest.fixture
def camera(capsys) -> Callable[..., SimpleNamespace]:
    """``camera("convert", source, target, ...)``: exit code and what was printed."""

    def camera(*arguments: object) -> SimpleNamespace:
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as exit_:  # argparse
            code = exit_.code
        printed = capsys.readouterr()
        return SimpleNamespace(code=code, out=printed.out, error=printed.err)

    return camera


@pytest.fixture
def refused(camera) -> Callable[..., str]:
    """``refused("convert", ...)``: the one line of a command that cannot be done, without traceback."""

    def refused(*arguments: object, code: int = 1) -> str:
        done = camera(*arguments)
        assert done.code == code, done
        last = done.error.strip().splitlines()[-1]
        assert "error: " in last and "Traceback" not in done.error
        assert code != 1 or done.error.count("\n") == 1
        return last.split("error: ", 1)[1]

    return refused


@pytest.fixture
def photo(tmp_path) -> Path:
    """A PNG of 48x32 pixels, every one different."""
    rows, columns = np.mgrid[:32, :48]
    pixels = np.stack((rows * 8, columns * 5, (rows * 48 + columns) % 256), axis=-1).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def board():
    """``board(synced)``: a board on a pseudo-terminal, just reset or running."""
    boards: list[Board] = []

    def board(synced: bool) -> Board:
        boards.append(Board(synced))
        return boards[-1]

    yield board
    for each in boards:
        each.close()
