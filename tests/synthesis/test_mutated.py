"""Mutated logs and C files of the synthesizer."""

from maxexp.chip.check import check_fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.synthesis.log import parse_log
from maxexp.synthesis.messages import error_message, warnings
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.stand_in import random_integers
from maxexp.synthesis.written import written_by_makers
from tests.fuzz import fuzz, mutated
from tests.synthesis.makers_form import write_makers_form
from tests.synthesis.test_ai8x import LAYERS, SHAPE, as_log


def test_log(make_network):
    log = as_log(network_cost(make_network(LAYERS, SHAPE), {}, DeviceConfig("max78000", 50.0))).encode()
    words = [
        b"Layer 99   5\n",
        b"SUMMARY OF OPS\n",
        b"ESTIMATED LATENCY\n",
        b"Kernel offset       = [x, 1]\n",
        b",",
        b"(est)",
    ]

    def parse(data: bytes) -> None:
        parse_log(data.decode(errors="replace"))

    fuzz("synthesizer's log", parse, mutated([log], words), [log])


ERRORS = [
    b"WARNING: Layer 1: something\nERROR: Layer 3: Kernel memory exhausted at processor 0\nmore\n",
    b'Traceback (most recent call last):\n  File "x", line 1\n    assert a < b\n           ^^^^^\nAssertionError\n',
    b"ERROR:\n\nThe network supports up to 32 layers\n",
]


def test_messages(make_network):
    network = make_network(LAYERS, SHAPE)
    words = [
        b"ERROR:",
        b"WARNING:",
        b"Layer ",
        b"9" * 5000,
        b"layer 0 ",
        b"AssertionError",
        b"\r",
        b"^~ ",
        b"\x1b[31m",
    ]

    def read(data: bytes) -> None:
        errors = data.decode(errors="replace")
        for text in (*warnings(errors, network), error_message(errors, network)):
            assert len(text) < 1000 and "\n" not in text

    fuzz("synthesizer's messages", read, mutated(ERRORS, words))
    assert len(error_message("x" * 10**6, network)) < 1000


def test_c_files(make_network, tmp_path, max78000):
    network = make_network(LAYERS, SHAPE)
    memory = check_fit(network, {}, max78000).memory
    write_makers_form(tmp_path, configuration(memory, random_integers(network, {}, 0).layers))
    good = {name: (tmp_path / name).read_bytes() for name in ("cnn.c", "weights.h")}
    words = [
        b"0x",
        b"0x00000000, ",
        b"#define KERNELS {",
        b"int cnn_configure(void)\n{",
        b"bias_9",
        b"}",
        b"0xffffffff, ",
    ]

    for name, content in good.items():

        def read(data: bytes, name: str = name) -> None:
            (tmp_path / name).write_bytes(data)
            written_by_makers(tmp_path, max78000)

        fuzz(f"synthesizer's {name}", read, mutated([content], words), [content])
        (tmp_path / name).write_bytes(content)
