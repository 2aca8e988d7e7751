"""The machine that trains: device, number format, threads."""

import torch

from maxexp.base.errors import ConfigError
from maxexp.training.config import Precision, TrainerConfig

_ALL_THREADS = torch.get_num_threads()


def training_device(config: TrainerConfig) -> torch.device:
    """The device that ``trainer.accelerator`` stands for.

    Raises:
        ConfigError: this machine does not have it.
    """
    there = torch.cuda.is_available()
    if config.accelerator == "gpu" and not there:
        raise ConfigError("trainer.accelerator=gpu: this machine has none; use trainer.accelerator=auto")
    return torch.device("cuda" if there and config.accelerator != "cpu" else "cpu")


def training_precision(config: TrainerConfig, device: torch.device) -> Precision:
    """Returns float32 or bfloat16; 8-bit activations and weights are exact in both, accumulators are not in
    bfloat16."""
    if config.precision is not Precision.auto:
        return config.precision
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        fast = device.type == "cpu" and _cpu_has_bfloat16()
    return Precision.bfloat16 if fast else Precision.float32


def set_threads(config: TrainerConfig) -> None:
    """Computes with ``trainer.threads`` CPU threads from here on, or with as many as the process began with."""
    torch.set_num_threads(config.threads or _ALL_THREADS)


def _cpu_has_bfloat16() -> bool:
    """Tells whether the CPU multiplies bfloat16 itself; emulation would be slower than float32."""
    try:
        with open("/proc/cpuinfo") as file:
            flags = next((line for line in file if line.startswith("flags")), "").split()
    except OSError:
        return False
    return "avx512_bf16" in flags or "amx_bf16" in flags
