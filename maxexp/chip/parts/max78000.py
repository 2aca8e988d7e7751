"""MAX78000, on the boards MAX78000FTHR and MAX78000EVKIT."""

from maxexp.chip.part import Addresses, Limits, Memories, Part, Processors, Quirks, Region, Tools

PART = Part(
    name="max78000",
    processors=Processors(count=64, per_quadrant=16, per_instance=4),
    memories=Memories(
        instance_bytes=32 * 1024, kernel_columns=768, first_kernel_columns=768, column_bytes=9, bias_bytes=512
    ),
    limits=Limits(
        layers=32,
        channels=1024,
        size=1023,
        map_words=2**21 - 1,
        flatten_words=256,
        write_step=16,
        operands=16,
        pooled_operands=2,
        pool=16,
        padding=2,
        passthrough_pool_passes=1,
    ),
    quirks=Quirks(single_pass_sums=True, sums_with_bias=True, conv1d_pads_passes=True),
    max_clock_mhz=50.0,
    cycles_known=True,
    address_map=Addresses(
        flash=Region(0x10000000, 512 * 1024),
        sram=Region(0x20000000, 128 * 1024),
        memory_power=0x50001000,
        interrupt=101,
        quadrant=0x50100000,
        quadrant_step=0x400000,
        biases=0x8000,
        kernels=0x80000,
        kernel_step=0x4000,
        data=0x300000,
        data_step=0x8000,
    ),
    toolchain=Tools(
        synthesizer_name="MAX78000",
        linker_script="max78000.ld",
        boards={"max78000fthr": "FTHR_RevA", "max78000evkit": "EvKit_V1"},
    ),
)
