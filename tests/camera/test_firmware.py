"""The conversions against the firmware's own expressions, compiled: docs/hardware.md, Camera, verbatim in C."""

import ctypes
import shutil
import subprocess

import numpy as np
import pytest

from maxexp.camera.frame import Frame
from maxexp.camera.layout import InputLayout, Order
from maxexp.chip.parts.max78000 import PART as MAX78000

SOURCE = """
#include <stdint.h>
void rgb565(const uint8_t *data, uint32_t *input, int n) {
    for (int i = 0; i < n; i++, data += 2) {
        uint8_t r = (data[0] & 0xF8) ^ 0x80;
        uint8_t g = ((data[0] << 5) | ((data[1] & 0xE0) >> 3)) ^ 0x80;
        uint8_t b = (data[1] << 3) ^ 0x80;
        input[i] = (b << 16) | (g << 8) | r;
    }
}
void rgb888(const uint8_t *data, uint32_t *input, int n) {
    for (int i = 0; i < n; i++) {
        uint8_t r = data[4 * i], g = data[4 * i + 1], b = data[4 * i + 2];
        input[i] = ((b << 16) | (g << 8) | r) ^ 0x00808080;
    }
}
"""


@pytest.fixture(scope="module")
def firmware(tmp_path_factory) -> ctypes.CDLL:
    if shutil.which("gcc") is None:
        pytest.skip("no gcc")
    folder = tmp_path_factory.mktemp("firmware")
    (folder / "convert.c").write_text(SOURCE)
    command = ["gcc", "-shared", "-fPIC", "-O1", "-o", folder / "convert.so", folder / "convert.c"]
    subprocess.run(command, check=True)
    return ctypes.CDLL(str(folder / "convert.so"))


@pytest.mark.parametrize(("pixel_format", "pixel_bytes"), [("RGB565", 2), ("RGB888", 4)])
def test_the_words_of_a_frame_are_those_of_the_firmware(firmware, pixel_format, pixel_bytes):
    data = np.random.default_rng(1).integers(0, 256, 256 * 256 * pixel_bytes, np.uint8)
    if pixel_format == "RGB565":
        data = np.arange(1 << 16, dtype="<u2").view(np.uint8)  # all there are
    words = (ctypes.c_uint32 * (256 * 256))()
    getattr(firmware, pixel_format.lower())(data.tobytes(), words, len(words))

    signed = Frame(pixel_format, 256, 256, data.tobytes()).network_input()
    packed = InputLayout.usual(signed.shape, Order.HWC, MAX78000).pack(signed)
    assert list(packed) == [0]
    assert np.array_equal(packed[0], np.frombuffer(words, np.uint32))
