"""The keyword firmware's front end on the emulated board against its Python side, byte for byte."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from maxexp.board.emulator.run import EmulatedLine
from maxexp.board.firmware import build_firmware
from maxexp.chip.config import DeviceConfig
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.data import front_end
from maxexp.synthesis.native.synthesizer import synthesize
from maxexp.synthesis.stand_in import random_image, random_integers

C_FILES = Path(front_end.__file__).parents[1] / "board" / "front_end"
PROGRAM = Path(__file__).with_name("front_end_program.c")
CLIP, OUTPUTS = front_end.SAMPLES, 21


def recording() -> np.ndarray:
    """Silence with an offset, a short word, one longer than a clip (the rest is another), and one beyond 16 bits."""
    draw = np.random.default_rng(0)
    parts = [draw.normal(900, 20, 12_000)]
    for length, loud in ((5_000, 3_000), (15_000, 6_000), (9_000, 60_000)):
        parts += [900 + loud * np.sin(np.arange(length) * draw.uniform(0.1, 0.4)), draw.normal(900, 20, 9_000)]
    return np.clip(np.concatenate(parts), -(2**15), 2**15 - 1).round().astype(np.int16)


def test_the_firmware_hears_what_python_hears(compiler, signal_model, tmp_path):
    integer = random_integers(signal_model("kws20_v3"), {}, 0)
    synthesis = synthesize(integer, DeviceConfig("max78000", 50.0), random_image((128, 128, 1), 0), None, tmp_path)
    project = synthesis.project
    for source in C_FILES.iterdir():
        shutil.copy(source, project)
    shutil.copy(PROGRAM, project / "main.c")
    line = EmulatedLine(build_firmware(project, tmp_path / "build", MAX78000).image, MAX78000)
    samples = recording()
    found = list(front_end.clips(samples))
    ends = [int(np.flatnonzero(clip)[-1]) + 1 for clip in found]
    assert [end == CLIP for end in ends] == [False, True, False, False]
    heard = []
    for chunk in samples[: len(samples) // front_end.CHUNK * front_end.CHUNK].reshape(-1, front_end.CHUNK):
        line.write(chunk.astype("<i2").tobytes())
        if line.read(1) == b"\1":
            heard.append((line.read(CLIP), line.read(4 * OUTPUTS)))
    assert [clip for clip, _ in heard] == [clip.tobytes() for clip in found]
    images = torch.from_numpy(np.stack([front_end.fold(clip) for clip in found]))
    assert [np.frombuffer(outputs, "<i4").tolist() for _, outputs in heard] == integer(images).tolist()


def test_the_high_pass_is_that_of_scipy():
    signal = pytest.importorskip("scipy.signal")
    samples = np.random.default_rng(1).integers(-8_000, 8_000, 4_000).astype(np.int16)
    exact = signal.lfilter([1, -1], [1, -front_end.FEEDBACK / 2**15], samples.astype(float))
    # Each rounding is off by half a unit at most, of which the feedback keeps 0.995.
    assert np.abs(front_end.high_pass(samples) - exact).max() <= 0.5 / (1 - front_end.FEEDBACK / 2**15)
    offset = front_end.high_pass(np.full(4_000, 9_000, np.int16))
    assert offset[0] == 9_000 and abs(offset[-1]) < 128


def test_bytes_and_their_places():
    filtered = np.array([0, 63, 64, -63, -64, 8_191, 8_192, -8_192, -32_768], np.int16)
    assert front_end.to_bytes(filtered).tolist() == [0, 0, 1, 0, -1, 127, 127, -128, -128]
    folded = front_end.fold((np.arange(CLIP) % 251 - 125).astype(np.int8))
    assert folded.shape == (128, 128, 1)
    assert folded[5, 3, 0] == (3 * 128 + 5) % 251 - 125


def test_silence_and_what_is_not_complete_give_no_clip():
    draw = np.random.default_rng(0)
    assert list(front_end.clips(draw.normal(900, 50, 40_000).astype(np.int16))) == []
    assert list(front_end.clips(np.zeros(0, np.int16))) == []
    assert list(front_end.clips(recording()[:18_000])) == []
