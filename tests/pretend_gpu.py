"""A GPU for machines without one: CPU tensors that say that they are elsewhere, and do not mix with others."""

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("meta")
"""The only device besides the CPU for which torch is always built."""


class GpuTensor(Tensor):
    """A tensor that reports ``DEVICE``; ``kept`` holds its numbers on the CPU."""

    kept: Tensor

    @staticmethod
    def __new__(cls, kept: Tensor) -> "GpuTensor":
        tensor = Tensor._make_wrapper_subclass(
            cls, kept.shape, kept.stride(), kept.storage_offset(), dtype=kept.dtype, device=DEVICE
        )
        tensor.kept = kept
        return tensor

    @classmethod
    def __torch_dispatch__(cls, operation, types, args=(), kwargs=None):
        return dispatch(operation, args, kwargs or {})


class PretendGpu(TorchDispatchMode):
    """While it is active, tensors can be made on and moved to ``DEVICE``.

    As on a real one, an operation on tensors of both places fails, but for CPU tensors without dimensions. Gradients
    are not computed: torch asks the device for a thread of its own.
    """

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        return dispatch(operation, args, kwargs or {})


def dispatch(operation: Any, args: tuple, kwargs: dict[str, Any]) -> Any:
    """Compute on the CPU; the result is where torch would have it."""
    tensors = [value for value in tree_flatten((args, kwargs))[0] if isinstance(value, Tensor)]
    there = any(isinstance(tensor, GpuTensor) for tensor in tensors)
    strangers = any(not isinstance(tensor, GpuTensor) and tensor.dim() > 0 for tensor in tensors)
    if there and strangers and not _mixes(operation, args):
        raise RuntimeError(f"{operation}: expected all tensors to be on the same device, {DEVICE} and cpu")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]) == DEVICE
        kwargs = {**kwargs, "device": torch.device("cpu")}
    result = operation(*tree_map(_kept, args), **tree_map(_kept, kwargs))
    if operation._schema.is_mutable and isinstance(args[0], Tensor):
        return args[0]
    return (
        tree_map(lambda value: GpuTensor(value) if isinstance(value, Tensor) else value, result) if there else result
    )


def _mixes(operation: Any, args: tuple) -> bool:
    """Whether torch lets the operation have tensors of both places: copies, and indices from the CPU."""
    aten = torch.ops.aten
    return operation is aten.copy_.default or (operation is aten.index.Tensor and isinstance(args[0], GpuTensor))


def _there(value: Any) -> Any:
    return GpuTensor(value) if isinstance(value, Tensor) else value


def _kept(value: Any) -> Any:
    return value.kept if isinstance(value, GpuTensor) else value
