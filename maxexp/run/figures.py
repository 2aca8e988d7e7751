"""Pictures and tables of a run, made from its results and put into its record."""

import logging

from torch import Tensor

from maxexp.network.module import NetworkModule
from maxexp.quantization.methods.ranges import layer_ranges
from maxexp.quantization.methods.sensitivity import Sensitivity
from maxexp.report.figures.histograms import range_histograms, ranges_table
from maxexp.report.figures.plots import learning_curves
from maxexp.report.figures.sensitivity import (
    layer_bits_override,
    sensitivity_figure,
    sensitivity_markdown,
    sensitivity_table,
)
from maxexp.tasks.base import Task
from maxexp.tracking.artifacts import (
    LEARNING_CURVES,
    RANGES,
    RANGES_PICTURE,
    SENSITIVITY,
    SENSITIVITY_PAGE,
    SENSITIVITY_PICTURE,
)
from maxexp.tracking.metrics import CURVES
from maxexp.tracking.record import RunRecord

log = logging.getLogger(__name__)


def record_curves(record: RunRecord, qat_epoch: int | None) -> None:
    """Draws the learning curves; ``qat_epoch`` is the first quantization-aware epoch."""
    history = {metric.key: record.history(metric.key) for metric in CURVES}
    record.log_figure(learning_curves(history, qat_epoch), LEARNING_CURVES)


def record_ranges(record: RunRecord, quantized: NetworkModule, inputs: Tensor) -> None:
    """Weights and activations against the 8-bit grid, for ``inputs`` (N, C, H, W)."""
    ranges = layer_ranges(quantized, inputs)
    record.log_dict(ranges_table(ranges), RANGES)
    record.log_figure(range_histograms(ranges), RANGES_PICTURE)


def record_sensitivity(record: RunRecord, task: Task, found: Sensitivity) -> None:
    """Draws what few bits cost in each layer, and the bits that follow from it."""
    log.info("bits for %d bytes of weights: %s", found.budget, layer_bits_override(found.proposal))
    record.log_dict(sensitivity_table(found), SENSITIVITY)
    record.log_text(sensitivity_markdown(found, task), SENSITIVITY_PAGE)
    record.log_figure(sensitivity_figure(found), SENSITIVITY_PICTURE)
