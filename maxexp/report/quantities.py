"""What runs are judged by: name, unit and way of writing of each metric, the main ones first."""

from collections.abc import Mapping
from dataclasses import dataclass

CURVES = ("train/loss", "train/accuracy", "val/loss", "val/accuracy")
"""Metrics of each epoch that are drawn and kept."""

ON_BOARD = ("emulated", "measured")
"""Sources of ``hw.source`` that are a board's."""


@dataclass(frozen=True)
class Quantity:
    """A metric as people read it.

    Attributes:
        key: of the metric.
        name: in full.
        label: in the heading of a column.
        unit: empty for plain numbers.
        scale: from the metric to the unit.
        digits: after the decimal point.
        better: 1 if more is better, -1 if less is, 0 if neither.
        counted: whether it follows from the network and its bits alone, without any model of the chip.
        timed: whether a board can say it; all else about the chip is what it was synthesized for.
        modelled: whether it is from our model of the chip in every run: the synthesizer does not say it.
        words: for a metric that is 0 or 1, what stands for them.
    """

    key: str
    name: str
    label: str
    unit: str = ""
    scale: float = 1.0
    digits: int = 0
    better: int = 0
    counted: bool = False
    timed: bool = False
    modelled: bool = False
    words: tuple[str, str] | None = None

    def text(self, value: float) -> str:
        """The number without its unit."""
        if self.words:
            return self.words[int(value)]
        return f"{self.scale * value:,.{self.digits}f}"

    def with_unit(self, value: float) -> str:
        """The number with its unit."""
        return f"{self.text(value)} {self.unit}".rstrip()

    @property
    def heading(self) -> str:
        """The label with its unit."""
        return f"{self.label} [{self.unit}]" if self.unit else self.label

    def source(self, tags: Mapping[str, str]) -> str:
        """Where the figure of a run with these tags comes from; nothing estimated is ever called measured."""
        source = tags.get("hw.source", "counted")
        if self.key.startswith("board/"):
            return source
        if not self.key.startswith("hw/"):
            return "computed"
        if self.counted:
            return "counted"
        if self.modelled:
            return "estimated"
        return "synthesized" if source in ON_BOARD and not self.timed else source


def _accuracy(key: str, name: str, label: str) -> Quantity:
    return Quantity(key, name, label, "%", 100, 2, 1)


INTEGER_ACCURACY = _accuracy("test/accuracy_integer", "test accuracy, integers as on the chip", "accuracy, integer")
FLOAT_ACCURACY = _accuracy("test/accuracy_float", "test accuracy, nothing rounded", "accuracy, float")
VALIDATION_ACCURACY = _accuracy("val/best_accuracy", "validation accuracy, chosen epoch", "accuracy, validation")
VALIDATION_INTEGER_ACCURACY = _accuracy(
    "val/accuracy_integer", "validation accuracy, integers", "accuracy, validation, integer"
)
LATENCY = Quantity("hw/latency_us", "latency", "latency", "ms", 1e-3, 3, -1, timed=True)
WEIGHT_MEMORY = Quantity("hw/weight_bytes", "weight memory", "weight memory", "bytes", better=-1, counted=True)

QUANTITIES = (
    INTEGER_ACCURACY,
    FLOAT_ACCURACY,
    LATENCY,
    WEIGHT_MEMORY,
    _accuracy("test/accuracy_quantized", "test accuracy, quantization simulated", "accuracy, simulated"),
    VALIDATION_ACCURACY,
    VALIDATION_INTEGER_ACCURACY,
    Quantity("hw/parameters", "parameters", "parameters", counted=True),
    Quantity("hw/macs", "multiply-accumulates", "MACs", better=-1, counted=True),
    Quantity("hw/bias_bytes", "bias memory", "bias memory", "bytes", better=-1, counted=True),
    Quantity("hw/data_bytes", "data memory, peak", "data memory", "bytes", better=-1, modelled=True),
    Quantity("hw/cycles", "cycles", "cycles", better=-1),
    Quantity("hw/images_per_s", "throughput", "throughput", "images/s", digits=1, better=1, timed=True),
    Quantity("hw/macs_per_cycle", "multiply-accumulates per cycle", "MACs per cycle", digits=2, better=1),
    Quantity("board/known_answer_pass", "known answer on the board", "known answer", words=("FAIL", "PASS")),
    Quantity("board/latency_us", "latency by the board's stopwatch", "board latency", "ms", 1e-3, 3, -1),
    _accuracy("board/accuracy", "accuracy on the board", "accuracy, board"),
    Quantity("board/images", "images classified on the board", "board images"),
    Quantity("board/disagreements", "of these, other than the integers", "disagreements", better=-1),
)


def quantity(key: str) -> Quantity:
    """A metric as people read it; one that has no entry is a plain number under its key."""
    return next((known for known in QUANTITIES if known.key == key), Quantity(key, key, key, digits=4))
