"""MAX78002. Its timing is published nowhere: runs report its memory and MACs, not cycles and latency."""

from dataclasses import replace

from maxexp.chip.part import Memories, Part, Quirks
from maxexp.chip.parts.max78000 import PART as MAX78000

PART = Part(
    name="max78002",
    processors=MAX78000.processors,
    memories=Memories(
        instance_bytes=80 * 1024, kernel_columns=4096, first_kernel_columns=5120, column_bytes=9, bias_bytes=2048
    ),
    limits=replace(MAX78000.limits, layers=128, size=2047, write_step=256, passthrough_pool_passes=65536),
    quirks=Quirks(single_pass_sums=False, sums_with_bias=False, conv1d_pads_passes=False),
    max_clock_mhz=200.0,
    cycles_known=False,
    address_map=None,
    toolchain=None,
)
