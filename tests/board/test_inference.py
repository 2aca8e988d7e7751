"""Inference on request: the server's firmware on the emulated board, around a network programmed by hand."""

import numpy as np
import pytest

from maxexp.base.errors import BoardError
from maxexp.board.emulator.accelerator import Accelerator
from maxexp.board.emulator.run import EmulatedLine
from maxexp.board.firmware import build_firmware
from maxexp.board.inference import InferenceClient, input_blocks
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.board.programming import HandLayer, output_addresses, place, program, start
from tests.board.test_accelerator import expected, numbers

HEADER = """
#include <stdint.h>
#define CNN_NUM_OUTPUTS %d
extern volatile uint32_t cnn_time;
int cnn_enable(uint32_t source, uint32_t divider);
int cnn_init(void);
int cnn_load_weights(void);
int cnn_load_bias(void);
int cnn_configure(void);
int cnn_start(void);
int cnn_unload(uint32_t *to);
"""

SOURCE = """
#include "mxc.h"
#include "gcfr_regs.h"
#include "cnn.h"
typedef struct { uint32_t address, value, size; } store_t;
static const store_t setup[] = {%s}, go[] = {%s};
static const uint32_t results[] = {%s};
static void write(const store_t *stores, int count) {
  for (int i = 0; i < count; i++)
    if (stores[i].size == 1)
      *(volatile uint8_t *) stores[i].address = stores[i].value;
    else
      *(volatile uint32_t *) stores[i].address = stores[i].value;
}
static void done(void) {
  for (uint32_t control = 0x50100000; control < 0x51000000; control += 0x400000)
    *(volatile uint32_t *) control &= ~(1u << 12 | 1);
  cnn_time = MXC_TMR_SW_Stop(MXC_TMR0);
}
int cnn_enable(uint32_t source, uint32_t divider) {
  MXC_GCFR->reg3 = 0xf; MXC_GCFR->reg1 = 0xf; MXC_GCFR->reg0 = 0xf; MXC_GCFR->reg2 = 0; MXC_GCFR->reg3 = 0;
  MXC_GCR->pclkdiv |= source | divider;
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_CNN);
  MXC_NVIC_SetVector(CNN_IRQn, done);
  return 1;
}
int cnn_init(void) { return 1; }
int cnn_load_weights(void) { write(setup, sizeof setup / sizeof setup[0]); return 1; }
int cnn_load_bias(void) { return 1; }
int cnn_configure(void) { return 1; }
int cnn_start(void) {
  cnn_time = 0;
  MXC_TMR_SW_Start(MXC_TMR0);
  write(go, sizeof go / sizeof go[0]);
  return 1;
}
int cnn_unload(uint32_t *to) {
  RESULT *outputs = (RESULT *) to;
  for (int i = 0; i < CNN_NUM_OUTPUTS; i++)
    *outputs++ = *(volatile RESULT *) results[i];
  return 1;
}
"""


def project(folder, x: HandLayer, pixels: int):
    """A project like the synthesizer's, for one layer; its main.c must not be used."""
    stores = [",".join(f"{{0x{a:x}, 0x{v:x}, {n}}}" for a, v, n in part) for part in (program(x, zeros(x)), start())]
    addresses = [address for address, _ in output_addresses(x, pixels)]
    folder.mkdir()
    (folder / "cnn.h").write_text(HEADER % len(addresses))
    results = ",".join(map(hex, addresses))
    result = "int32_t" if x.wide else "int8_t"
    (folder / "cnn.c").write_text(f"#define RESULT {result}" + SOURCE % (*stores, results))
    (folder / "main.c").write_text("#error the server replaces this file\n")
    return folder


def zeros(x: HandLayer) -> np.ndarray:
    return np.zeros((x.inputs, x.rows, x.cols), np.int64)


@pytest.mark.parametrize(
    "x",
    [
        HandLayer(3, 4, 5, numbers(10, 3, 4, 5), numbers(10), flatten=True, wide=True),
        HandLayer(70, 2, 2, numbers(6, 70, 1, 1), numbers(6), shift=-4),
    ],
    ids=["wide", "8 bits of 70 channels"],
)
def test_image_for_image(compiler, tmp_path, x):
    pixels = expected(x, zeros(x))[0].size
    firmware = build_firmware(project(tmp_path / "project", x, pixels), tmp_path / "build", MAX78000, server=True)
    client = InferenceClient(EmulatedLine(firmware.image, MAX78000), MAX78000, x.wide)
    times = set()
    for _ in range(3):
        image = numbers(x.inputs, x.rows, x.cols).astype(np.int8)
        outputs, time = client(image)
        np.testing.assert_array_equal(outputs, expected(x, image).reshape(-1))
        times.add(time)
    assert len(times) == 1


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 4, 5), (17, 2, 3), (64, 2, 2), (65, 3, 2), (130, 2, 2)])
def test_where_an_image_goes(shape):
    image = numbers(*shape).astype(np.int8)
    blocks, bytewise = Accelerator(MAX78000), Accelerator(MAX78000)
    for address, words in input_blocks(image, MAX78000).items():
        for index, word in enumerate(words.tolist()):
            blocks.write(address + 4 * index, word)
            bytewise.write(address + 4 * index, 0)
    for store in place(image, 0, 0):
        bytewise.write(*store)
    assert [bytes(m) for m in blocks.data.instances] == [bytes(m) for m in bytewise.data.instances]


class Recorded:
    """A line that gives what it was made with, then nothing."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def read(self, size: int = 1) -> bytes:
        part, self.data = self.data[:size], self.data[size:]
        return part

    def write(self, data: bytes) -> None:
        pass


READY = b"noise\xff*** Inference Server, 1 outputs ***\r\n"


def test_other_firmware_or_silence():
    with pytest.raises(BoardError, match="Waiting"):
        InferenceClient(Recorded(b"Waiting...\n"), MAX78000, wide=True)


@pytest.mark.parametrize(
    ("answer", "says"), [(b"", "with 0 of 16 bytes"), (b"\1" * 7, "with 7 of 16"), (b"\1" * 16, "disturbed")]
)
def test_answers_that_are_not_whole(answer, says):
    client = InferenceClient(Recorded(READY + answer), MAX78000, wide=True)
    with pytest.raises(BoardError, match=says):
        client(np.zeros((1, 2, 2), np.int8))
