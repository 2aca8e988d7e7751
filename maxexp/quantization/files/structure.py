"""What a checkpoint's file may hold, whoever wrote it: dense tensors of numbers, no larger than the file itself.

``torch.load`` alone is safe only in that it runs no code: a file of a kilobyte may announce a tensor of a terabyte.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

DTYPES = (
    *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    *(torch.bool, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64),
)
PREFIX = "module."
"""Of all names where a network was trained as ``DataParallel``."""
LAST_EPOCH = 10**9
LARGEST = 1e12
"""Magnitude of a number in a trained network: far above any, and far below where the next layer's sums overflow."""


def check_archive(path: Path) -> None:
    """Raises ValueError for a ZIP archive that would unpack to more than it is: torch compresses nothing."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
    if unpacked > path.stat().st_size:
        raise ValueError(f"unpacks to {unpacked} bytes")


def tensors(state: Mapping[Any, Any]) -> dict[str, Tensor]:
    """The tensors of a ``state_dict``, by name without PREFIX; other entries are left out, as torch does it.

    Raises:
        ValueError: a name or tensor is none that a layer of this project could have.
    """
    found: dict[str, Tensor] = {}
    for key, value in state.items():
        if not isinstance(value, Tensor):
            continue
        name = str(key).removeprefix(PREFIX)
        if not _plain(value):
            raise ValueError(f"{name[:60]!r} is no plain tensor of numbers")
        # The maker's quantizer leaves some parameters of a parallel network under both names.
        if name in found and not torch.equal(found[name].double(), value.double()):
            raise ValueError(f"it holds {name} twice")
        found[name] = value.detach()
    return found


def _plain(tensor: Tensor) -> bool:
    """Tells whether the tensor stores as many numbers as its shape says."""
    if tensor.layout is not torch.strided or tensor.device.type != "cpu" or tensor.dtype not in DTYPES:
        return False
    return 0 < tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()


def epoch(content: Mapping[str, Any]) -> int:
    """Returns the bits of the weights; 0 if the file does not say it.

    Raises:
        ValueError: it is no number of an epoch.
    """
    value = content.get("epoch")
    if value is None:
        return 0
    if not isinstance(value, int) or not 0 <= value <= LAST_EPOCH:
        raise ValueError("its epoch is no whole number")
    return value


def extras(content: Mapping[str, Any]) -> dict[str, Any]:
    """Its further texts and numbers, by name; anything else there is left out.

    Raises:
        ValueError: they have no names.
    """
    value = content.get("extras", {})
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("its extras have no names")
    return {
        key: entry for key, entry in value.items() if isinstance(key, str) and isinstance(entry, (str, int, float))
    }


def diverged(values: Mapping[str, Tensor]) -> str | None:
    """The name of the first of some tensors that holds NaN, or values beyond :data:`LARGEST`."""
    return next((name for name, value in values.items() if not bool((value.float().abs() <= LARGEST).all())), None)
