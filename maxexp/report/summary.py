"""A run's results as rows, for the terminal and for the run's description."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from maxexp.device.cost import Cost


@dataclass(frozen=True)
class Row:
    """One result: what it is, its value with unit, where it comes from."""

    name: str
    value: str
    source: str


_FORMATS = {
    "val/best_accuracy": ("validation accuracy, chosen epoch", lambda v: f"{100 * v:.2f} %"),
    "test/accuracy_float": ("test accuracy, nothing rounded", lambda v: f"{100 * v:.2f} %"),
    "test/accuracy_quantized": ("test accuracy, quantization simulated", lambda v: f"{100 * v:.2f} %"),
    "test/accuracy_integer": ("test accuracy, integers as on the chip", lambda v: f"{100 * v:.2f} %"),
    "hw/parameters": ("parameters", lambda v: f"{v:,.0f}"),
    "hw/macs": ("multiply-accumulates", lambda v: f"{v:,.0f}"),
    "hw/weight_bytes": ("weight memory", lambda v: f"{v:,.0f} bytes"),
    "hw/bias_bytes": ("bias memory", lambda v: f"{v:,.0f} bytes"),
    "hw/data_bytes": ("data memory, peak", lambda v: f"{v:,.0f} bytes"),
    "hw/cycles": ("cycles", lambda v: f"{v:,.0f}"),
    "hw/latency_us": ("latency", lambda v: f"{v / 1000:,.3f} ms"),
    "hw/images_per_s": ("throughput", lambda v: f"{v:,.1f} images/s"),
    "hw/macs_per_cycle": ("multiply-accumulates per cycle", lambda v: f"{v:.2f}"),
    "board/known_answer_pass": ("known answer on the board", lambda v: "PASS" if v else "FAIL"),
    "board/latency_us": ("latency by the board's stopwatch", lambda v: f"{v / 1000:,.3f} ms"),
    "board/accuracy": ("accuracy on the board", lambda v: f"{100 * v:.2f} %"),
    "board/images": ("images classified on the board", lambda v: f"{v:,.0f}"),
    "board/disagreements": ("of these, other than the integers", lambda v: f"{v:,.0f}"),
}
_COUNTED = {"hw/parameters", "hw/macs", "hw/data_bytes"}
_TIMED = {"hw/latency_us", "hw/images_per_s"}
_ON_BOARD = ("emulated", "measured")


def result_rows(metrics: Mapping[str, float], tags: Mapping[str, str]) -> list[Row]:
    """Rows for the metrics that the run has, in a fixed order."""
    source = tags.get("hw.source", "counted")
    return [
        Row(name, show(metrics[key]), _origin(key, source))
        for key, (name, show) in _FORMATS.items()
        if key in metrics
    ]


def _origin(key: str, source: str) -> str:
    """Where a figure comes from in a run whose latency comes from ``source``."""
    if key.startswith("board/"):
        return source
    if not key.startswith("hw/"):
        return "computed"
    if key in _COUNTED:
        return "counted"
    # A board says nothing but times: the rest is what it was synthesized for.
    return "synthesized" if source in _ON_BOARD and key not in _TIMED else source


def print_results(title: str, rows: list[Row], console: Console | None = None) -> None:
    """Print the rows as a table."""
    table = Table(title=title, title_justify="left")
    table.add_column("result")
    table.add_column("value", justify="right")
    table.add_column("source")
    for row in rows:
        table.add_row(row.name, row.value, row.source)
    (console or Console()).print(table)


def results_markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| result | value | source |", "|--|--:|--|"]
    return "\n".join(lines + [f"| {row.name} | {row.value} | {row.source} |" for row in rows])


def cost_table(cost: Cost) -> dict:
    """Cost and place per layer and in total, for ``synthesis/cost.json``."""
    memory = cost.fit.memory
    return {
        "network": cost.network.name,
        "device": cost.device.name,
        "totals": cost.metrics(),
        "layers": [
            {
                "name": layer.name,
                "out_shape": list(layer.out_shape),
                "weights": layer.weights,
                "weight_bits": layer.bits,
                "macs": layer.macs,
                "ops": layer.ops,
                "cycles": layer.cycles,
                "first_processor": memory.first_processor[memory.network.by_name[layer.name].inputs[0]],
                "kernel_columns": memory.kernel_columns[layer.name],
                "kernel_offset": memory.kernel_offset.get(layer.name),
                "output_first_processor": memory.first_processor[layer.name],
                "output_offset": memory.data_offset[layer.name],
            }
            for layer in cost.layers
        ],
    }
