"""``maxexp cost [MODEL ...] [KEY=VALUE ...]``: what networks cost on the chip, without data, training and record."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maxexp.api.cost import Cost
from maxexp.base.errors import DeviceError
from maxexp.base.exit_codes import exit_code
from maxexp.cli.program import called
from maxexp.network.sizes import dimensions
from maxexp.run.description import Description, compose_description

EXAMPLES = """examples:
  maxexp cost model=nascifarnet dataset=cifar10
  maxexp cost nascifarnet simplenet cmsisnnet dataset=cifar10
  maxexp cost ./my_net.yaml dataset.num_classes=5 dataset=images model.width=0.5 --json"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parser().parse_intermixed_args(arguments)
    return exit_code("maxexp", lambda: _show(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=called("cost"),
        description="What networks cost on the chip, by our model of it; nothing is trained or recorded.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    text = "presets or YAML files, and keys of model, dataset, quantization and device as of python -m maxexp"
    parser.add_argument("words", nargs="*", metavar="MODEL or KEY=VALUE", help=text)
    parser.add_argument("--layers", action="store_true", help="a table of layers, of each of several networks, too")
    parser.add_argument("--json", action="store_true", help="all figures as JSON, a list with an entry a network")
    return parser


def _show(options: argparse.Namespace) -> None:
    described = [compose_description(words) for words in _networks(options.words)]
    costs: list[tuple[Description, Cost | DeviceError]] = [(each, _cost(each)) for each in described]
    if options.json:
        print(json.dumps([_plain(*pair) for pair in costs], indent=1))
    else:
        console = Console()
        for description, cost in costs:
            if isinstance(cost, Cost) and (options.layers or len(costs) == 1):
                console.print(_layers(description, cost))
        if any(isinstance(cost, Cost) for _, cost in costs):
            console.print(_totals(costs))
    refused = [cost for _, cost in costs if isinstance(cost, DeviceError)]
    if refused:
        raise DeviceError("; also: ".join(map(str, refused)))


def _networks(words: Sequence[str]) -> list[list[str]]:
    """The overrides of each network: all that names a model makes one, all else holds for each."""
    models = [word if "=" in word else f"model={word}" for word in words if _names_model(word)]
    common = [word for word in words if not _names_model(word)]
    return [[model, *common] for model in models] or [common]


def _names_model(word: str) -> bool:
    return "=" not in word or word.startswith("model=")


def _cost(description: Description) -> Cost | DeviceError:
    try:
        return Cost(description.cost())
    except DeviceError as error:
        return error


def _layers(description: Description, cost: Cost) -> Table:
    table = Table(title=escape(f"{description.model.name} on {description.device.name}"), title_justify="left")
    for heading in ("layer", "output", "weights", "bits", "MACs", "cycles"):
        table.add_column(heading, justify="left" if heading == "layer" else "right")
    for layer in cost.layers:
        cycles = "-" if layer.cycles is None else f"{layer.cycles:,}"
        row = (dimensions(layer.out_shape), f"{layer.weights:,}", str(layer.bits), f"{layer.macs:,}", cycles)
        table.add_row(escape(layer.name), *row)
    return table


def _totals(costs: Sequence[tuple[Description, Cost | DeviceError]]) -> Table:
    """One row a figure, one column a network."""
    table = Table()
    table.add_column("")
    for description, _ in costs:
        table.add_column(escape(f"{description.model.name}, {description.dataset.name}"), justify="right")
    figures = [_figures(description, cost) for description, cost in costs]
    for name in max(figures, key=len):
        table.add_row(name, *(each.get(name, "does not fit" if name == "latency" else "-") for each in figures))
    return table


def _figures(description: Description, cost: Cost | DeviceError) -> dict[str, str]:
    if isinstance(cost, DeviceError):
        return {}
    memory, part = cost.memory, description.device.part
    data = part.memories.instance_bytes * part.processors.instances
    known = {}
    if cost.cycles is not None and cost.latency_us is not None:
        known = {
            "latency": f"{cost.latency_us:,.0f} us",
            "cycles": f"{cost.cycles:,}",
            "inferences per second": f"{1e6 / cost.latency_us:,.0f}",
        }
    return {
        **known,
        "parameters": f"{cost.parameters:,}",
        "MACs": f"{cost.macs:,}",
        "weight memory": f"{memory.weight_bytes:,} bytes ({100 * memory.weight_share:.1f} %)",
        "bias memory": f"{memory.bias_bytes:,} bytes",
        "data memory, peak": f"{memory.data_bytes:,} bytes ({100 * memory.data_bytes / data:.1f} %)",
        "layers": f"{len(cost.layers)} of {part.limits.layers}",
    }


def _plain(description: Description, cost: Cost | DeviceError) -> dict[str, Any]:
    """Returns plain values for JSON; the names of the totals are those of the run record."""
    named = {
        "network": description.model.name,
        "dataset": description.dataset.name,
        "device": description.device.name,
    }
    if isinstance(cost, DeviceError):
        return {**named, "fits": False, "error": str(cost)}
    layers = [layer.plain() for layer in cost.layers]
    return {**named, "fits": True, "totals": cost.metrics(), "layers": layers}
