"""A run's results as rows, for the terminal and for the run's description."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from maxexp.base.languages.markdown import markdown_table
from maxexp.base.languages.printable import printable
from maxexp.chip.cost import Cost
from maxexp.chip.memory.placement import MemoryMap
from maxexp.chip.memory.tensors import Block
from maxexp.tracking.metrics import RESULTS


@dataclass(frozen=True)
class Row:
    """One result: what it is, its value with unit, where it comes from."""

    name: str
    value: str
    source: str


def result_rows(metrics: Mapping[str, float], tags: Mapping[str, str]) -> list[Row]:
    """Rows for the metrics that the run has, in a fixed order."""
    return [
        Row(metric.name, metric.with_unit(metrics[metric.key]), metric.source(tags))
        for metric in RESULTS
        if metric.key in metrics
    ]


def print_results(title: str, rows: list[Row], console: Console | None = None) -> None:
    """Prints the rows as a table."""
    printed = Table(title=Text(printable(title)), title_justify="left")
    printed.add_column("result")
    printed.add_column("value", justify="right")
    printed.add_column("source")
    for row in rows:
        printed.add_row(row.name, row.value, row.source)
    (console or Console()).print(printed)


def results_markdown(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    cells = [[row.name, row.value, row.source] for row in rows]
    return markdown_table(["result", "value", "source"], cells, numbers=[1])


def cost_table(cost: Cost) -> dict:
    """Returns the cost and place per layer and in total, for ``synthesis/cost.json``."""
    memory = cost.fit.memory
    return {
        "network": cost.network.name,
        "device": cost.device.name,
        "totals": cost.metrics(),
        "layers": [
            {
                **layer.plain(),
                "first_processor": memory.first_processor[memory.network.by_name[layer.name].inputs[0]],
                "processors": memory.part.processors.used(memory.network.by_name[layer.name].in_shape[0]),
                "kernel_columns": memory.kernel_columns[layer.name],
                "kernel_offset": memory.kernel_offset.get(layer.name),
            }
            for layer in cost.layers
        ],
        "tensors": [_tensors(memory, block) for block in memory.blocks],
    }


def _tensors(memory: MemoryMap, block: Block) -> dict:
    """A range of data memory: whose it is, where it is, and while which layers are computed (-1: input loaded)."""
    instances = memory.instances(block.tensors[0])
    return {
        "names": list(block.tensors),
        "first_instance": instances.start,
        "instances": len(instances),
        "offset": memory.data_offset[block.tensors[0]],
        "bytes": block.size,
        "first_layer": block.first,
        "last_layer": block.last,
    }
