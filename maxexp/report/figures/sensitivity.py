"""A sensitivity analysis as a dict, a Markdown table and a picture."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from maxexp.base.languages.markdown import markdown_table, markdown_text
from maxexp.base.languages.picture_text import picture_text
from maxexp.base.languages.shell import shell_word
from maxexp.base.number_format import NumberFormat
from maxexp.chip.numbers.arithmetic import WEIGHT_BITS
from maxexp.quantization.methods.sensitivity import Assignment, Damage, Sensitivity
from maxexp.tasks.base import Task

BITS = sorted(WEIGHT_BITS, reverse=True)


def layer_bits_override(assignment: Assignment) -> str:
    """Returns what to add to a command line, quotes included, to quantize like this."""
    bits = ",".join(f"{name}:{value}" for name, value in assignment.bits.items())
    return shell_word(f"quantization.layer_bits={{{bits}}}")


def sensitivity_table(found: Sensitivity) -> dict[str, Any]:
    """All figures, for ``quantization/sensitivity.json``."""
    return {
        "network": found.network.name,
        "validation_images": found.images,
        "float": asdict(found.unharmed),
        "layers": [
            {
                "name": name,
                "weights": found.network.by_name[name].weights,
                "bits": {str(bits): asdict(damage) for bits, damage in row.items()},
            }
            for name, row in found.damages.items()
        ],
        "budget": found.budget,
        "proposal": {
            **asdict(found.proposal),
            "override": layer_bits_override(found.proposal),
            "measured": asdict(found.proposed),
        },
    }


def sensitivity_markdown(found: Sensitivity, task: Task) -> str:
    """Returns what each layer costs at each bit width, and the proposal."""
    score = task.selects
    signed = replace(score.form, signed=True)
    in_unit = f" ({signed.unit})" if signed.unit else ""
    weights = {name: layer.weights for name, layer in found.network.by_name.items()}
    rows = [
        [markdown_text(name), f"{weights[name]:,}", *_cells(row, signed), str(found.proposal.bits[name])]
        for name, row in found.damages.items()
    ]
    heading = ["layer", "weights", *(f"{bits} bits" for bits in BITS), "proposed"]
    unharmed, proposed, proposal = found.unharmed, found.proposed, found.proposal
    totals = [
        ["floating point", f"{unharmed.loss:.4f}", score.form.with_unit(unharmed.score)],
        ["proposed, simulated", f"{proposed.loss:.4f}", score.form.with_unit(proposed.score)],
    ]
    lines = [
        f"# Sensitivity of {markdown_text(found.network.name)} to the bits of each layer",
        "",
        f"{task.divergence_name}, times 1,000, on {found.images:,} validation examples when one layer is quantized "
        f"and all others stay in floating point; in parentheses the change of the {score.label}{in_unit}. The rise "
        "of the loss and the error of the layer's output are in sensitivity.json.",
        "",
        markdown_table(heading, rows, range(1, len(heading))),
        "",
        f"Proposed for a budget of {found.budget:,} bytes: {proposal.weight_bytes:,} bytes of weights.",
        "",
        markdown_table(["", "loss", score.label], totals, numbers=[1, 2]),
        "",
        "To quantize like this, add to the command line:",
        "",
        f"    {layer_bits_override(proposal)}",
        "",
    ]
    return "\n".join(lines)


def _cells(damages: Mapping[int, Damage], signed: NumberFormat) -> list[str]:
    """Returns the divergences of one layer by bits."""
    return [f"{1000 * damages[bits].divergence:.2f} ({signed.text(damages[bits].score)})" for bits in BITS]


def sensitivity_figure(found: Sensitivity) -> Figure:
    """Returns the divergence by layer and bits, and the least that a number of bytes allows."""
    figure = Figure(figsize=(12, 1.5 + 0.35 * max(len(found.damages), 8)), layout="constrained")
    left, right = figure.subplots(1, 2)
    names = list(found.damages)
    values = np.array([[1000 * found.damages[name][bits].divergence for bits in BITS] for name in names])
    shades = np.log10(np.maximum(values, 1e-2))
    image = left.imshow(shades, cmap="Blues", aspect="auto")
    middle = (shades.min() + shades.max()) / 2
    for row, column in np.ndindex(*values.shape):
        color = "white" if shades[row, column] > middle else "black"
        left.text(column, row, f"{values[row, column]:.2f}", ha="center", va="center", fontsize=8, color=color)
        if found.proposal.bits[names[row]] == BITS[column]:
            left.plot(column - 0.42, row, marker=">", color="#ee6677", ms=6)
    figure.colorbar(image, ax=left, label="log10 of the divergence [thousandths]")
    left.set_xticks(range(len(BITS)), map(str, BITS))
    left.set_yticks(range(len(names)), map(picture_text, names))
    left.set(xlabel="bits of the weights (marked: proposed)", title="one layer quantized")
    right.plot(
        [a.weight_bytes for a in found.front], [1000 * a.divergence for a in found.front], drawstyle="steps-post"
    )
    right.plot(found.proposal.weight_bytes, 1000 * found.proposal.divergence, "o", color="#ee6677", label="proposed")
    right.axvline(found.budget, color="0.4", lw=1, ls="--", label="budget")
    right.set(xlabel="bytes of weights", ylabel="divergence, summed [thousandths]", title="best assignments")
    right.set_yscale("log")
    right.grid(alpha=0.3)
    right.legend(frameon=False)
    return figure
