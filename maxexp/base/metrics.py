"""What a metric of the run record is: its key, how it is read, where it comes from, when it is there.

Each room declares the metrics of what it computes; :mod:`maxexp.tracking.metrics` has all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from maxexp.base.number_format import COUNT, NumberFormat

HIGHER, LOWER, NEITHER = 1, -1, 0
"""Which values of a metric are better."""

SYNTHESIZER_TAG = "ai8x.version"
"""The maker's synthesizer confirmed the figures of a run that has it."""


class Shown(Enum):
    """Where a metric is shown."""

    main = "first in tables, and by default in views"
    result = "in all tables; of each epoch: as a curve"
    detail = "only where it is asked for"


class Evidence(Enum):
    """Where a metric comes from."""

    computed = "from images or from the training"
    counted = "from the network and its bits alone, without any model of the chip"
    modelled = "from our model of the chip in every run: the synthesizer does not say it"
    synthesized = "from the maker's synthesizer if it ran, else the emulator, else from our model of the chip"
    timed = "from the board if one ran, else as synthesized"


class Need(Enum):
    """What a run must have for a metric, beside the metric's stage."""

    integers = "a quantized network"
    cycle_model = "a device whose timing is known"


@dataclass(frozen=True)
class Metric:
    """A metric of the run record.

    Attributes:
        key: in the run record, ``GROUP/NAME``.
        stage: name of the stage that records it.
        name: in full.
        label: in the heading of a column.
        form: unit, scale and digits.
        better: HIGHER, LOWER or NEITHER.
        shown: where.
        per_epoch: whether it is recorded after each epoch of a training.
        known_before_training: whether it follows from the configuration alone.
        needs: what the run must have.
        evidence: where it comes from.
    """

    key: str
    stage: str
    name: str
    label: str
    form: NumberFormat = COUNT
    better: int = NEITHER
    shown: Shown = Shown.result
    per_epoch: bool = False
    known_before_training: bool = False
    needs: frozenset[Need] = frozenset()
    evidence: Evidence = Evidence.computed

    @property
    def group(self) -> str:
        """Returns ``test`` of ``test/accuracy_integer``."""
        return self.key.partition("/")[0]

    @property
    def quantity(self) -> str:
        """Returns ``accuracy_integer`` of ``test/accuracy_integer``."""
        return self.key.partition("/")[2]

    @property
    def is_score(self) -> bool:
        """Tells whether the metric judges a network on images that it was not trained with."""
        return self.better != NEITHER and self.group in ("test", "val")

    @property
    def heading(self) -> str:
        """The label with its unit."""
        return self.form.heading(self.label)

    def text(self, value: float) -> str:
        """A value without its unit."""
        return self.form.text(value)

    def with_unit(self, value: float) -> str:
        """A value with its unit."""
        return self.form.with_unit(value)

    def source(self, tags: Mapping[str, str]) -> str:
        """Returns where the value of a run with these tags comes from; nothing estimated is ever called measured."""
        source = tags.get("hw.source", "counted")
        if self.evidence is Evidence.timed:
            return source
        if self.evidence is Evidence.synthesized:
            return _evidence_of_cycles(source, tags)
        return "estimated" if self.evidence is Evidence.modelled else self.evidence.name


def _evidence_of_cycles(source: str, tags: Mapping[str, str]) -> str:
    """A real board counts none, whatever it times; the emulated one does, from the registers."""
    if SYNTHESIZER_TAG in tags:
        return "synthesized"
    return "estimated" if source == "measured" else source
