"""What a synthesizer makes of a network, ours or the maker's."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from maxexp.chip.cost import Cost
from maxexp.chip.numbers.integer import IntegerNetwork


@dataclass(frozen=True)
class Synthesis:
    """A firmware project and what is known of it.

    Attributes:
        integer: the network that it computes.
        cost: our figures.
        project: folder of the C project.
        answer: int64, outputs for the sample by channel, row and column; equal to those of the integer network.
        printed_shift: by how many bits the firmware shifts outputs up before it prints them.
        application: the project of ``board.application``, where one was written.
    """

    integer: IntegerNetwork
    cost: Cost
    project: Path
    answer: np.ndarray
    printed_shift: int
    application: Path | None = field(default=None, kw_only=True)

    def report(self) -> dict:
        """Returns the content of ``synthesis/synthesis.json``."""
        return {
            "cycles": self.cost.cycles,
            "macs": self.cost.network.macs,
            "ops": self.cost.network.ops,
            "weight_bytes": self.cost.fit.weight_bytes,
            "bias_bytes": self.cost.fit.bias_bytes,
            "layers": [
                {
                    "name": layer.name,
                    "cycles": layer.cycles,
                    "macs": layer.macs,
                    "ops": layer.ops,
                    "kernel_offset": self.cost.fit.memory.kernel_offset.get(layer.name, 0),
                    "kernel_columns": self.cost.fit.memory.kernel_columns[layer.name],
                }
                for layer in self.cost.layers
            ],
            "known_answer": self.answer.ravel().tolist(),
        }
