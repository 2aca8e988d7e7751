"""What a device has: memories, limits, clock (hardware.md 3.3)."""

from dataclasses import dataclass

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen


@frozen
@dataclass
class DeviceConfig:
    """Sizes and limits of a CNN accelerator of the MAX7800x family.

    Attributes:
        name: the part.
        processors: parallel convolution processors; channels beyond are computed in passes.
        instance_processors: processors that share one data memory instance (byte lanes of a word).
        instance_bytes: size of one data memory instance.
        kernel_columns: columns of 72 bits in the weight memory of one processor.
        weight_bytes: whole weight memory.
        bias_groups: quadrants, each with a bias memory of its own.
        bias_group_bytes: bias memory of one quadrant, one byte per bias.
        max_layers: layers in one network.
        max_channels: input or output channels of one layer.
        max_size: rows or columns of a map, padding included.
        max_flatten_pixels: pixels of a map, times its passes, that a linear layer may flatten.
        max_write_step: words from a pixel to the next that an operation can write: its output passes times the
            operands of the sum that reads them.
        passthrough_pool_passes: passes in which a layer without operation can pool.
        single_pass_sums: whether a sum of several passes needs a layer of its own (2 inputs, 2 passes do not).
        sums_with_bias: whether an operation behind a sum in the same layer can have biases.
        clock_mhz: clock of the accelerator at inference.
        max_clock_mhz: the fastest it runs.
        cycle_model: whether hardware.md section 4 describes this part's timing.
    """

    name: str = "???"
    processors: int = 64
    instance_processors: int = 4
    instance_bytes: int = 32768
    kernel_columns: int = 768
    weight_bytes: int = 442368
    bias_groups: int = 4
    bias_group_bytes: int = 512
    max_layers: int = 32
    max_channels: int = 1024
    max_size: int = 1023
    max_flatten_pixels: int = 256
    max_write_step: int = 16
    passthrough_pool_passes: int = 1
    single_pass_sums: bool = True
    sums_with_bias: bool = True
    clock_mhz: float = 50.0
    max_clock_mhz: float = 50.0
    cycle_model: bool = True

    def __post_init__(self) -> None:
        for key, value in vars(self).items():
            if not isinstance(value, (str, bool)) and value <= 0:
                raise ConfigError(f"device.{key}={value}: must be above 0")
        if self.clock_mhz > self.max_clock_mhz:
            raise ConfigError(f"device.clock_mhz={self.clock_mhz}: {self.name} runs at most at {self.max_clock_mhz}")
