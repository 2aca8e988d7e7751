"""The chip of a run, and the parts that there are."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from maxexp.base.errors import ConfigError
from maxexp.base.frozen import frozen
from maxexp.chip import parts
from maxexp.chip.part import Part


@cache
def known_parts() -> dict[str, Part]:
    """The parts by name: one for each file in :mod:`maxexp.chip.parts`."""
    found: list[Part] = [
        import_module(f"{parts.__name__}.{module.name}").PART for module in iter_modules(parts.__path__)
    ]
    return {part.name: part for part in found}


def find_part(name: str) -> Part:
    """The part of that name.

    Raises:
        ConfigError: there is none; names those that there are.
    """
    part = known_parts().get(name)
    if part is None:
        raise ConfigError(f"device.name={name}: no such part; there are {', '.join(known_parts())}")
    return part


@frozen
@dataclass
class DeviceConfig:
    """Keys of the device.

    Attributes:
        name: the part.
        clock_mhz: clock of the accelerator at inference.

    Raises:
        ConfigError: no such part, or a clock at which it cannot run.
    """

    name: str
    clock_mhz: float

    def __post_init__(self) -> None:
        fastest = self.part.max_clock_mhz
        if self.clock_mhz <= 0:
            raise ConfigError(f"device.clock_mhz={self.clock_mhz}: must be above 0")
        if self.clock_mhz > fastest:
            raise ConfigError(f"device.clock_mhz={self.clock_mhz}: {self.name} runs at most at {fastest}")

    @property
    def part(self) -> Part:
        return find_part(self.name)
