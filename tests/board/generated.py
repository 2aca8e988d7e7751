"""Projects that the maker's synthesizer generates for small networks of random weights.

A network is a list of layers in the synthesizer's own YAML keys, with the shape of its weights added.
"""

import os
import re
import subprocess
from collections import OrderedDict
from dataclasses import dataclass
from math import log2, prod
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml


def mask(count: int, first: int = 0) -> int:
    """Processors from ``first`` on."""
    return ((1 << count) - 1) << first


def conv(inputs: int, outputs: int, kernel: int = 3, dims: int = 2, **keys: Any) -> dict[str, Any]:
    """A convolution; ``processors`` and ``out_offset`` at least have to be among ``keys``."""
    size = f"{kernel}x{kernel}" if dims == 2 else kernel
    defaults = {"operation": f"conv{dims}d", "kernel_size": size, "pad": kernel // 2, "activate": "ReLU"}
    return defaults | {"weight": (outputs, inputs, *[kernel] * dims)} | keys


def linear(inputs: int, outputs: int, **keys: Any) -> dict[str, Any]:
    """A fully connected layer, flattening and with 32-bit outputs unless ``keys`` say otherwise."""
    defaults = {"operation": "mlp", "flatten": True, "output_width": 32, "activate": "None"}
    return defaults | {"weight": (outputs, inputs)} | keys


def copy(**keys: Any) -> dict[str, Any]:
    """A layer without kernels."""
    return {"operation": "passthrough"} | keys


@dataclass(frozen=True)
class Generated:
    """A generated project and the cycles that the synthesizer's log states, start-up first."""

    project: Path
    layer_cycles: list[int]


class Synthesizer:
    """The maker's ``ai8xize.py``.

    Args:
        checkout: its repository.
        python: interpreter of an environment with its requirements.
    """

    def __init__(self, checkout: Path, python: Path) -> None:
        self.checkout, self.python = checkout, python

    def generate(
        self, folder: Path, shape: tuple[int, ...], layers: list[dict[str, Any]], *options: str, seed: int = 0
    ) -> Generated:
        """Generate the project of a network whose input has ``shape``."""
        draw = np.random.default_rng(seed)
        folder.mkdir(parents=True, exist_ok=True)
        state: OrderedDict[str, torch.Tensor] = OrderedDict()
        entries = []
        for index, layer in enumerate(layers):
            entry = {k: v for k, v in layer.items() if k not in ("weight", "bits", "bias")}
            entries.append(entry)
            if "weight" in layer:
                state |= random_layer(f"layer{index}", layer, draw)
        checkpoint, config, sample = folder / "net.pth.tar", folder / "net.yaml", folder / "sample.npy"
        torch.save({"epoch": 0, "arch": "net", "state_dict": state, "extras": {}}, checkpoint)
        config.write_text(yaml.safe_dump({"arch": "net", "dataset": "random", "layers": entries}))
        np.save(sample, draw.integers(-128, 128, shape, np.int64))
        return self.run(folder, checkpoint, config, sample, *options)

    def run(self, folder: Path, checkpoint: Path, config: Path, sample: Path | None, *options: str) -> Generated:
        """Call the synthesizer; a failure shows its errors."""
        arguments = ["--test-dir", folder, "--prefix", "project", "--checkpoint-file", checkpoint]
        arguments += ["--config-file", config, "--device", "MAX78000", "--timer", "0", "--verbose", "--short-log"]
        arguments += ["--no-version-check", "--no-progress", *options]
        if sample is not None:
            arguments += ["--sample-input", sample]
        environment = os.environ | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [self.python, "ai8xize.py", *map(str, arguments)],
            cwd=self.checkout,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        log = (folder / "project" / "log.txt").read_text()
        cycles = re.findall(r"^(?:Startup|Layer \d+(?: \([^)]*\))?)\s+([\d,]+)$", log, re.MULTILINE)
        return Generated(folder / "project", [int(number.replace(",", "")) for number in cycles])


def random_layer(name: str, layer: dict[str, Any], draw: np.random.Generator) -> dict[str, torch.Tensor]:
    """Weights over the whole range, with a shift that keeps outputs of the order of 50."""
    shape, bits = layer["weight"], layer.get("bits", 8)
    half = 2 ** (bits - 1)
    weight = draw.integers(-half, half, shape)
    spread = 2**bits / 12**0.5 * 50 * prod(shape[1:]) ** 0.5
    shift = round(log2(50 * 128 / spread)) - (8 - bits)
    state = {
        f"{name}.output_shift": torch.tensor([float(shift)]),
        f"{name}.weight_bits": torch.tensor([float(bits)]),
        f"{name}.op.weight": torch.from_numpy(weight).float(),
    }
    if layer.get("bias", True):
        bias = draw.integers(-100, 100, shape[0])
        state[f"{name}.op.bias"] = torch.from_numpy(bias).float() * 2 ** (bits - 1)
    return state
