"""The metrics of what a network costs on the chip; :mod:`maxexp.chip.cost` computes them."""

from dataclasses import replace

from maxexp.base.metrics import HIGHER, LOWER, NEITHER, Evidence, Metric, Need, Shown
from maxexp.base.number_format import BYTES, COUNT, DECIMAL, IMAGES_PER_SECOND, MILLISECONDS, PERCENT, NumberFormat

INTEGERS = frozenset({Need.integers})
TIMING = frozenset({Need.integers, Need.cycle_model})


def _counted(key: str, name: str, label: str, form: NumberFormat = COUNT, better: int = LOWER) -> Metric:
    """A metric that any network has, one that stays in floating point, too."""
    return Metric(key, "synthesize", name, label, form, better, known_before_training=True, evidence=Evidence.counted)


def _timing(key: str, name: str, label: str, form: NumberFormat, better: int, evidence: Evidence) -> Metric:
    return Metric(
        key, "synthesize", name, label, form, better, known_before_training=True, needs=TIMING, evidence=evidence
    )


LATENCY = replace(
    _timing("hw/latency_us", "latency", "latency", MILLISECONDS, LOWER, Evidence.timed), shown=Shown.main
)
WEIGHT_MEMORY = replace(_counted("hw/weight_bytes", "weight memory", "weight memory", BYTES), shown=Shown.main)
PARAMETERS = _counted("hw/parameters", "parameters", "parameters", better=NEITHER)
MACS = _counted("hw/macs", "multiply-accumulates", "MACs")
OPERATIONS = replace(_counted("hw/ops", "operations", "operations"), shown=Shown.detail)
BIAS_MEMORY = _counted("hw/bias_bytes", "bias memory", "bias memory", BYTES)
DATA_MEMORY = Metric(
    "hw/data_bytes",
    "synthesize",
    "data memory, peak",
    "data memory",
    BYTES,
    LOWER,
    known_before_training=True,
    needs=INTEGERS,
    evidence=Evidence.modelled,
)
WEIGHT_SHARE = Metric(
    "hw/weight_share",
    "synthesize",
    "weight memory, share of the chip's",
    "weight memory used",
    PERCENT,
    LOWER,
    known_before_training=True,
    needs=INTEGERS,
    evidence=Evidence.counted,
)
DATA_SHARE = replace(
    DATA_MEMORY,
    key="hw/data_share",
    name="data memory, peak, share of the chip's",
    label="data memory used",
    form=PERCENT,
)
CYCLES = _timing("hw/cycles", "cycles", "cycles", COUNT, LOWER, Evidence.synthesized)
THROUGHPUT = _timing("hw/images_per_s", "throughput", "throughput", IMAGES_PER_SECOND, HIGHER, Evidence.timed)
MACS_PER_CYCLE = _timing(
    "hw/macs_per_cycle", "multiply-accumulates per cycle", "MACs per cycle", DECIMAL, HIGHER, Evidence.synthesized
)

METRICS = (
    PARAMETERS,
    MACS,
    OPERATIONS,
    CYCLES,
    LATENCY,
    THROUGHPUT,
    MACS_PER_CYCLE,
    WEIGHT_MEMORY,
    WEIGHT_SHARE,
    BIAS_MEMORY,
    DATA_MEMORY,
    DATA_SHARE,
)
