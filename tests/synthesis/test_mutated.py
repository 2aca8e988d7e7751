"""Mutated logs of the synthesizer."""

from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.synthesis.log import parse_log
from tests.fuzz import fuzz, mutated
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
