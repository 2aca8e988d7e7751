"""The C project of a network: files that are the same for all, and headers that are generated."""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template

from maxexp import __version__
from maxexp.base.errors import SynthesisError
from maxexp.chip.cost import Cost
from maxexp.chip.part import WORD_BYTES
from maxexp.synthesis.native.c_text import plain
from maxexp.synthesis.native.configuration import Configuration
from maxexp.synthesis.native.headers import Sample, network_headers, sample_headers
from maxexp.synthesis.native.stores import kernel_blocks

FILES = Path(__file__).parent / "project"
README = "README.md"
PROGRAM_BYTES = 32 * 1024
"""Flash for the program, the C library and the board's drivers."""


def write_project(
    folder: Path, x: Configuration, cost: Cost, sample: Sample, exponent: int, classes: list[str] | None
) -> None:
    """Writes a project in place of what is at ``folder``: whole or not at all.

    Args:
        cost: for its README.
        exponent, classes: see :func:`~maxexp.synthesis.native.headers.network_headers`.

    Raises:
        SynthesisError: the firmware would not fit the flash, or the files cannot be written.
    """
    check_flash(x, x.memory.part.processors.per_instance * sample.image[0].size * len(x.memory.instances("input")))
    texts = (
        network_headers(x, exponent, classes) | sample_headers(x.memory, sample) | {README: _readme(cost, classes)}
    )
    write_files(folder, list(FILES.iterdir()), texts)


def write_files(folder: Path, sources: Sequence[Path], texts: Mapping[str, str]) -> None:
    """Puts a project in place of what is at ``folder``: whole or not at all.

    Args:
        sources: files to copy.
        texts: further files by name, which take the place of copied ones.

    Raises:
        SynthesisError: the files cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as partial:
            written = Path(partial, "project")
            written.mkdir()
            for source in sources:
                shutil.copy(source, written)
            for name, text in texts.items():
                (written / name).write_text(text, encoding="ascii")
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(written, folder)
    except OSError as error:
        raise SynthesisError(f"the firmware project cannot be written to {folder}: {error.strerror}") from error


def check_flash(x: Configuration, sample_bytes: int) -> None:
    """Raises SynthesisError if the network and its sample input are more than the flash holds beside the program."""
    memory = x.memory
    size = sum(WORD_BYTES * (2 + len(words)) for _, words in kernel_blocks(x))
    size += sum(values.nbytes for values in x.biases.values())
    over = size + sample_bytes + PROGRAM_BYTES - memory.part.addresses.flash.size
    if over > 0:
        counts = {name: n * len(memory.processors(memory.network.by_name[name].inputs[0])) for name, n in _columns(x)}
        largest = max(counts, key=lambda name: counts[name])
        raise SynthesisError(
            f"layer {largest}: has the most of the kernels, which with biases and sample input are {over:,} bytes "
            f"more than the flash of {memory.part.name} holds beside the program; reduce its channels, model.width "
            "or its quantization bits"
        )


def _columns(x: Configuration) -> list[tuple[str, int]]:
    return [(name, count) for name, count in x.memory.kernel_columns.items() if count]


def _readme(cost: Cost, classes: list[str] | None) -> str:
    cycles, latency = cost.cycles, cost.latency_us
    values = {
        "name": plain(cost.network.name),
        "version": __version__,
        "layers": len(cost.layers),
        "macs": f"{cost.network.macs:,}",
        "cycles": "an unknown number of cycles" if cycles is None else f"{cycles:,} cycles",
        "time": "N" if latency is None else f"{latency:.0f}",
        "sample": "" if classes is None else ", the percentage and the name of each class",
    }
    return Template((FILES / README).read_text(encoding="ascii")).substitute(values)
