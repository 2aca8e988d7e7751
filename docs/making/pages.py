"""Markdown of the reference, made from configurations, command lines and the registry of metrics."""

import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from enum import Enum
from itertools import dropwhile
from pathlib import Path

from maxexp.base.languages.markdown import markdown_table
from maxexp.base.metrics import HIGHER, LOWER, Metric
from maxexp.base.shipped import conf_dir
from maxexp.chip.config import known_parts
from maxexp.chip.part import Limits
from maxexp.network.config import OPERATIONS, LayerConfig
from maxexp.tracking.metrics import GROUPS, METRICS

COMMANDS = ("", ".cost", ".predict", ".compare", ".sweep", ".study", ".zoo", ".board", ".camera", ".ui", ".tracking")
SHARED_KEYS = (
    *(
        "model",
        "task",
        "dataset",
        "augmentation",
        "quantization",
        "recipe",
        "trainer",
        "device",
        "synthesis",
        "board",
    ),
    *("tracking", "hydra/sweeper", "sampler", "launcher"),
)
WITHOUT_TABLE = ("model", "task", "sampler", "launcher")
"""Groups whose files hold descriptions, not settings that they share."""
TYPICAL = ("default", "images", "qat", "max78000fthr", "ai8x", "basic")
"""Options whose comments are taken first."""
UNUSED = re.compile("unused|not used|only with")
SETTING = re.compile(r"^( *)([\w./@${}:-]+):(?: +(.*?))?(?: +# (.*)| *# (.*))?$")


@dataclass(frozen=True)
class Key:
    """A key of a configuration file, as the file explains it."""

    name: str
    default: str
    comment: str


def configuration() -> str:
    """Every key of ``conf/``, with its default and the comment beside it."""
    text = [
        "# Configuration keys\n",
        "Made from the comments in `conf/`. `GROUP=OPTION` chooses a file of a group, `GROUP.KEY=VALUE` sets a key",
        "of it; `python -m maxexp --cfg job` prints what a command line comes to.\n",
        "## The run\n",
        _table(_keys(Path(conf_dir(), "config.yaml")), "", only=("seed", "stages", "checkpoint", "resume")),
    ]
    for group in SHARED_KEYS:
        files = sorted(Path(conf_dir(), group).glob("*.yaml"))
        prefix = "hydra.sweeper" if group == "hydra/sweeper" else group
        text += [f"\n## {group}\n", *(f"- `{file.stem}`: {_header(file)}" for file in files), ""]
        if group not in WITHOUT_TABLE:
            text.append(_table(_explained(files), prefix))
    return "\n".join(text) + "\n"


def _explained(files: Iterable[Path]) -> Iterable[Key]:
    """The keys of all files of a group, each as the file explains it that uses it."""
    found: dict[str, Key] = {}
    for file in sorted(files, key=lambda file: (file.stem not in TYPICAL, file.stem)):
        for key in _keys(file):
            known = found.get(key.name)
            if known is None or not known.comment or UNUSED.match(known.comment):
                found[key.name] = key
    return found.values()


def command_lines() -> str:
    """What ``--help`` of each command prints."""
    text = ["# Command line\n"]
    for module in (f"maxexp{each}" for each in COMMANDS):
        environment = {**os.environ, "COLUMNS": "100"}
        called = [sys.executable, "-m", module, "--help"]
        done = subprocess.run(called, env=environment, capture_output=True, text=True, check=True)
        text += [f"## python -m {module}\n", "```text", done.stdout.strip(), "```\n"]
    return "\n".join(text)


def run_record() -> str:
    """The metrics of a run record, by group, and where its artifacts are explained."""
    text = [
        "# The run record\n",
        "A run is a run of MLflow: parameters (the whole configuration, flat), metrics, tags and artifacts.",
        "Accuracies are recorded as fractions; the unit below is that of tables and pages.\n",
        "The tag `hw.source` names the strongest evidence for `hw/latency_us`: `estimated`, `synthesized`,",
        "`emulated` or `measured`. Nothing that is estimated is ever named measured.\n",
    ]
    for group in GROUPS:
        rows = [_metric(metric) for metric in METRICS.values() if metric.group == group]
        text += [f"## {group}\n", markdown_table(("metric", "what", "unit", "better", "evidence"), rows, ()), ""]
    return "\n".join([*text, ARTIFACTS])


def layers() -> str:
    """The keys of a layer, and the limits of the chips."""
    attributes = (inspect.getdoc(LayerConfig) or "").partition("Attributes:")[2]
    found = re.findall(r"^    (\w+): (.*(?:\n        .*)*)", attributes, re.MULTILINE)
    defaults = {f.name: f.default for f in fields(LayerConfig)}
    keys = [[f"`{name}`", f"`{_plain(defaults[name])}`", " ".join(text.split())] for name, text in found]
    parts = [known_parts()[name] for name in sorted(known_parts())]
    limits = [
        [name.replace("_", " "), *(f"{getattr(part.limits, name):,}" for part in parts)]
        for name in (f.name for f in fields(Limits))
    ]
    memories = [
        ["weight memory, bytes", *(f"{part.weight_bytes:,}" for part in parts)],
        ["bias memory, bytes per quadrant", *(f"{part.memories.bias_bytes:,}" for part in parts)],
        ["data memory, bytes per instance of 4 processors", *(f"{part.memories.instance_bytes:,}" for part in parts)],
    ]
    heading = ("limit", *(part.name.upper() for part in parts))
    operations = ", ".join(f"`{name}`" for name in OPERATIONS)
    return "\n".join(
        [
            "# Layers and limits\n",
            f"Operations: {operations}. A layer is an entry of a [description](../how_to/own_network.md).\n",
            markdown_table(("key", "default", "meaning"), keys),
            "\n## Limits of the chips\n",
            markdown_table(heading, [*memories, *limits], range(1, len(heading))),
            "\nWhat each limit means: [Memories and limits](../hardware.md#memories-and-limits).",
        ]
    )


def _plain(value: object) -> object:
    return "null" if value is None else value.value if isinstance(value, Enum) else str(value).lower()


ARTIFACTS = """## Artifacts

| folder or file | what |
|--|--|
| `config/` | the configuration as composed and as typed, the environment |
| `checkpoints/` | the best network of each phase, in the layout of ai8x-training |
| `quantization/` | the integer network, as ai8x-synthesis reads it; the sensitivity of each layer |
| `evaluation/` | predictions for each test example, ranges of weights and activations |
| `synthesis/` | cost by layer, memory map, the network's YAML for ai8x-synthesis, its log and project |
| `firmware/`, `board/` | what was built, the serial output, the known answer |
| `plots/`, `summary.html` | pictures, and one page with everything about the run |
| `sweep/` | tables and pictures of a sweep, in the run of the sweep |
| `errors/` | what ended a run that failed |
"""


def _metric(metric: Metric) -> list[str]:
    better = {HIGHER: "higher", LOWER: "lower"}.get(metric.better, "")
    return [f"`{metric.key}`", metric.name, metric.form.unit, better, metric.evidence.value]


def _header(file: Path) -> str:
    """The comment at the beginning of a configuration file, in one line."""
    lines = [line for line in file.read_text().splitlines() if not line.startswith("# @package")]
    comment = []
    for line in lines:
        if not line.startswith("#"):
            break
        comment.append(line.lstrip("# ").strip())
    return " ".join(comment)


def _keys(file: Path) -> Iterator[Key]:
    """The keys of a file in dotted form; a comment stands behind a key, or in whole lines before it."""
    parents: list[tuple[int, str]] = []
    before: list[str] = []
    for line in dropwhile(lambda line: line.startswith("#"), file.read_text().splitlines()):
        if line.lstrip().startswith("#"):
            before.append(line.lstrip("# "))
            continue
        found = SETTING.match(line)
        if not found or found[2] in ("defaults", "_recursive_"):
            before = []
            continue
        indent = len(found[1])
        parents = [(depth, name) for depth, name in parents if depth < indent]
        name = ".".join([*(name for _, name in parents), found[2]])
        parents.append((indent, found[2]))
        yield Key(name, (found[3] or "").strip(), found[4] or found[5] or (" ".join(before) if indent == 0 else ""))
        before = []


def _table(keys: Iterable[Key], prefix: str, only: tuple[str, ...] = ()) -> str:
    rows = [
        [f"`{prefix}.{key.name}`".replace("`.", "`"), f"`{key.default}`" if key.default else "", key.comment]
        for key in keys
        if not only or key.name in only
    ]
    return markdown_table(("key", "default", "meaning"), rows, ())
