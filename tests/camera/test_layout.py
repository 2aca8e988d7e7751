"""Words of the network's input against the memory map of docs/hardware.md, Data layout, and against the maker's
synthesizer."""

import os

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maxexp.base.errors import CameraError
from maxexp.camera.layout import InputLayout, Order
from maxexp.camera.sampledata import read_arrays, write_header
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.camera.conftest import unhurried

SIZES = st.tuples(st.integers(1, 5), st.integers(1, 5))
BASE, INSTANCE = 0x50400000, 0x8000


def mask(processors: list[int]) -> int:
    return sum(1 << processor for processor in processors)


@st.composite
def hwc_layouts(draw) -> InputLayout:
    channels = draw(st.one_of(st.integers(1, 8), st.integers(1, 200)))
    usual = InputLayout.usual((channels, *draw(SIZES)), Order.HWC, MAX78000)
    processors = draw(st.permutations(range(64)))[: usual.processors.bit_count()]
    return draw(st.sampled_from([usual, InputLayout(usual.shape, Order.HWC, mask(processors), MAX78000)]))


@st.composite
def chw_layouts(draw) -> InputLayout:
    instances = draw(st.lists(st.integers(0, 15), min_size=1, unique=True))
    processors = [4 * instance + draw(st.integers(0, 3)) for instance in instances]
    return InputLayout((len(processors), *draw(SIZES)), Order.CHW, mask(processors), MAX78000)


LAYOUTS = st.one_of(hwc_layouts(), chw_layouts())


def some_input(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(list(shape)).integers(-128, 128, shape, np.int8)


def memory(layout: InputLayout, signed: np.ndarray) -> dict[int, int]:
    """Address and value of every byte of an input, as docs/hardware.md, Data layout has it."""
    used = [processor for processor in range(64) if layout.processors >> processor & 1]
    passes = -(-layout.shape[0] // len(used))
    found = {}
    for (channel, y, x), value in np.ndenumerate(signed):
        processor, index = used[channel % len(used)], y * layout.shape[2] + x
        address = BASE + processor // 16 * 0x400000 + processor % 16 // 4 * INSTANCE
        if layout.order is Order.HWC:
            address += 4 * (index * passes + channel // len(used)) + processor % 4
        else:
            address += index
        found[address] = int(value) & 0xFF
    return found


@unhurried
@given(LAYOUTS)
def test_every_byte_is_where_the_chip_reads_it(layout):
    signed = some_input(layout.shape)
    expected = memory(layout, signed)
    loaded = {}
    for number, words in layout.pack(signed).items():
        start = BASE + number // 16 * 0x400000 + number % 16 // 4 * INSTANCE  # what load_input() copies to
        loaded |= {start + index: byte for index, byte in enumerate(words.astype("<u4").tobytes())}
    assert {address: loaded.pop(address) for address in expected} == expected
    assert not any(loaded.values())


@unhurried
@given(LAYOUTS)
def test_round_trip_by_words_and_by_text(layout):
    signed = some_input(layout.shape)
    assert np.array_equal(layout.unpack(layout.pack(signed)), signed)
    text = write_header(signed, layout)
    assert InputLayout.parse(text, MAX78000) == layout
    assert np.array_equal(layout.unpack(read_arrays(text)), signed)


def test_the_makers_sample_is_loaded_as_its_firmware_does(ai8x):
    signed = np.load(ai8x / "sample_cifar-10.npy").astype(np.int8)
    words = InputLayout.usual(signed.shape, Order.HWC, MAX78000).pack(signed)[0]
    trace = np.load(ai8x / "cifar10-nas.trace.npz")
    written = dict(zip(trace["address"].tolist(), trace["value"].tolist(), strict=True))
    assert [written[BASE + 4 * index] for index in range(1024)] == words.tolist()


def test_a_header_as_formatters_leave_it():
    text = "#define SAMPLE_INPUT_0      \\\n    {       \\\n        0x00b1f01f, 0x7,   \\\n        12   \\\n    }\n"
    text += "#define SAMPLE_INPUT_4 { \\\n  0xffffffff, \\\n}\n#define OTHER { 5 }\n"
    assert {number: words.tolist() for number, words in read_arrays(text).items()} == {
        0: [0xB1F01F, 7, 12],
        4: [0xFFFFFFFF],
    }


def test_numbers_mean_what_they_mean_in_c():
    words = read_arrays("#define SAMPLE_INPUT_0 { 012, 5, 0, 0X1f, 10 }")[0]
    assert words.tolist() == [0o12, 5, 0, 31, 10]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("#define KERNELS { 1 }", "no '#define SAMPLE_INPUT_<n>"),
        ("#define SAMPLE_INPUT_0 { 1, -3 }", "SAMPLE_INPUT_0 holds '-3' where a 32-bit number belongs"),
        ("#define SAMPLE_INPUT_8 { 0x100000000 }", "SAMPLE_INPUT_8 holds '0x100000000'"),
        ("#define SAMPLE_INPUT_8 { }", "SAMPLE_INPUT_8 holds ''"),
        ("#define SAMPLE_INPUT_8 { 0x1, 089 }", "SAMPLE_INPUT_8 holds '089'"),
        ("#define SAMPLE_INPUT_0 { 1 }\n#define SAMPLE_INPUT_0 { 2 }", "defines an array twice"),
    ],
)
def test_a_header_that_is_none(text, match):
    with pytest.raises(CameraError, match=match):
        read_arrays(text)


@unhurried
@given(LAYOUTS, st.integers(1, 5))
def test_words_of_another_size_are_refused(layout, more):
    arrays = layout.pack(some_input(layout.shape))
    first = min(arrays)
    longer = arrays | {first: np.append(arrays[first], np.zeros(more, np.uint32))}
    for wrong in (longer, {number: words[:0] for number, words in arrays.items()}, arrays | {99: arrays[first]}):
        with pytest.raises(CameraError, match="give the true shape and layout"):
            layout.unpack(wrong)


@unhurried
@given(SIZES, st.integers(1, 3))
def test_channels_beyond_the_shape_are_not_dropped(size, channels):
    signed = np.full((4, *size), -1, np.int8)
    words = InputLayout.usual(signed.shape, Order.HWC, MAX78000).pack(signed)
    with pytest.raises(CameraError, match="bytes are in use that belong to no channel"):
        InputLayout.usual((channels, *size), Order.HWC, MAX78000).unpack(words)


@pytest.mark.parametrize(
    ("shape", "order", "processors", "match"),
    [
        ((3, 2, 2), Order.HWC, 0x3, "are 2, and an HWC input of 3 channels takes 3"),
        ((100, 2, 2), Order.HWC, (1 << 64) - 1, "takes 52"),
        ((3, 2, 2), Order.CHW, 0x7, "each from another group of 4"),
        ((2, 2, 2), Order.CHW, 0x111, "do not fit a CHW input of 2 channels"),
    ],
)
def test_processors_that_do_not_fit(shape, order, processors, match):
    with pytest.raises(CameraError, match=match):
        InputLayout(shape, order, processors, MAX78000)


class Generator:
    """Takes the arrays that the synthesizer would write into sampledata.h."""

    def __init__(self, memory: np.ndarray) -> None:
        self.memory, self.arrays, self.data_offs = memory, {}, 0

    def get_mem(self) -> np.ndarray:
        return self.memory

    def output_define(self, array, name: str, *_, **__) -> None:
        self.arrays[int(name.removeprefix("SAMPLE_INPUT_"))] = [int(word) for word in array]

    def __getattr__(self, name: str):
        return lambda *_, **__: None


@pytest.mark.ai8x
@pytest.mark.skipif("AI8X_SYNTHESIS" not in os.environ, reason="set AI8X_SYNTHESIS to a checkout of ai8x-synthesis")
def test_arrays_are_those_of_the_real_synthesizer(monkeypatch):
    monkeypatch.syspath_prepend(os.environ["AI8X_SYNTHESIS"])
    from izer import datamem, load, tornadocnn

    tornadocnn.dev = tornadocnn.get_device(85)

    @unhurried
    @given(LAYOUTS)
    def compare(layout: InputLayout) -> None:
        passes = -(-layout.shape[0] // 64)
        assume(layout.order is Order.HWC or passes == 1)
        signed = some_input(layout.shape)
        found = Generator(datamem.allocate())
        load.load(
            True,
            found,
            layout.order is Order.CHW,
            layout.processors,
            0,
            list(layout.shape),
            passes,
            1,
            layout.processors.bit_count(),
            signed.astype(np.int64),
            [0, 0],
        )
        assert found.arrays == {number: words.tolist() for number, words in layout.pack(signed).items()}

    compare()
