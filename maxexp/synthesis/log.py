"""What the log of ai8x-synthesis says of a network (docs/hardware.md, The maker's synthesizer)."""

import re
from dataclasses import dataclass

from maxexp.base.errors import SynthesisError

_NUMBER = r"([0-9][0-9,]{0,19})"
_LAYER = r"Layer ([0-9]{1,4})(?: \([^)\n]*\))?"
_TOTAL = re.compile(rf"^Total\s+{_NUMBER} cycles", re.MULTILINE)
_CYCLES = re.compile(rf"^{_LAYER}\s+{_NUMBER}(?: \(est\))?$", re.MULTILINE)
_OPS = rf"{_NUMBER} ops \({_NUMBER} macc; {_NUMBER} comp; {_NUMBER} add; {_NUMBER} mul; {_NUMBER} bitwise\)$"
_ALL_OPS = re.compile(rf"^Hardware: {_OPS}", re.MULTILINE)
_LAYER_OPS = re.compile(rf"^  {_LAYER}: {_OPS}", re.MULTILINE)
_WEIGHTS = re.compile(rf"^Weight memory: {_NUMBER} bytes", re.MULTILINE)
_BIASES = re.compile(rf"^Bias memory:\s+{_NUMBER} bytes", re.MULTILINE)


@dataclass(frozen=True)
class LayerLog:
    """One layer of the hardware, in the synthesizer's figures; a layer without weights has no columns."""

    cycles: int
    macs: int
    ops: int
    kernel_offset: int
    kernel_columns: int


@dataclass(frozen=True)
class SynthesisLog:
    """A network in the synthesizer's figures; see :class:`maxexp.chip.cost.Cost` for ours."""

    cycles: int
    macs: int
    ops: int
    weight_bytes: int
    bias_bytes: int
    layers: tuple[LayerLog, ...]


def parse_log(text: str) -> SynthesisLog:
    """Figures of a log that was written with ``--verbose`` for the MAX78000.

    Raises:
        SynthesisError: a figure is missing; names it.
    """
    latency = _section(text, "ESTIMATED LATENCY", "SUMMARY OF OPS")
    summary = _section(text, "SUMMARY OF OPS", None)
    cycles = [(int(layer), _int(number)) for layer, number in _CYCLES.findall(latency)]
    ops = {int(layer): (_int(total), _int(macs)) for layer, total, macs, *_ in _LAYER_OPS.findall(summary)}
    offsets, columns = _list(text, "Kernel offset"), _list(text, "Kernel length")
    if not len(cycles) == len(offsets) == len(columns):
        raise SynthesisError("the synthesizer's log has different numbers of layers for cycles and kernels")
    if [index for index, _ in cycles] != list(range(len(cycles))):
        raise SynthesisError("the synthesizer's log does not give the cycles of each layer in turn; it is damaged")
    layers = [
        # Layers without operations, as plain copies, have no line of their own.
        LayerLog(count, ops.get(index, (0, 0))[1], ops.get(index, (0, 0))[0], offsets[index], columns[index])
        for index, count in cycles
    ]
    total_ops, macs, *_ = _find(_ALL_OPS, summary, "operations").groups()
    return SynthesisLog(
        cycles=_int(_find(_TOTAL, latency, "cycles")[1]),
        macs=_int(macs),
        ops=_int(total_ops),
        weight_bytes=_int(_find(_WEIGHTS, summary, "weight memory")[1]),
        bias_bytes=_int(_find(_BIASES, summary, "bias memory")[1]),
        layers=tuple(layers),
    )


def _int(text: str) -> int:
    return int(text.replace(",", ""))


def _section(text: str, title: str, end: str | None) -> str:
    start = text.rfind(f"{title}\n")
    if start < 0:
        raise SynthesisError(f"the synthesizer's log has no '{title}'; it stopped early, or is of another version")
    return text[start:] if end is None else text[start : text.rfind(end)]


def _find(pattern: re.Pattern[str], text: str, what: str) -> re.Match[str]:
    found = pattern.search(text)
    if found is None:
        raise SynthesisError(f"the synthesizer's log does not give the {what}; it is of another version")
    return found


def _list(text: str, name: str) -> list[int]:
    pattern = re.compile(rf"^{name}\s+= \[([0-9]{{1,9}}(?:, [0-9]{{1,9}})*)\]$", re.MULTILINE)
    return [int(x) for x in _find(pattern, text, name.lower())[1].split(", ")]
