"""The maker's synthesizer: called with a network, asked for its figures, held against ours."""

import logging
import os
import re
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from maxexp.base.array_file import read_array
from maxexp.base.bounded import read_bounded
from maxexp.base.errors import ConfigError, FormatError, SynthesisError
from maxexp.base.process import run_program
from maxexp.chip.check import Fit
from maxexp.chip.config import DeviceConfig, known_parts
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.chip.part import Part
from maxexp.network.graph import Network
from maxexp.network.sizes import Shape
from maxexp.synthesis.comparison import check_answer, check_figures
from maxexp.synthesis.config import SynthesisConfig
from maxexp.synthesis.environment import clean_environment, environment_python
from maxexp.synthesis.files import KNOWN_ANSWER, LOG, NETWORK, SAMPLE
from maxexp.synthesis.log import SynthesisLog, parse_log
from maxexp.synthesis.messages import error_message, warnings
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.network_yaml import network_yaml
from maxexp.synthesis.stored import project_name, stored_cost
from maxexp.synthesis.synthesis import Synthesis
from maxexp.synthesis.written import check_equal

CHECKOUT_VARIABLE = "AI8X_SYNTHESIS"
MAX_LOG_BYTES = 64 << 20
"""A thousand times the largest log that the chip's 32 layers give."""
FLAGS = ("--timer", "0", "--verbose", "--short-log", "--display-checkpoint")
"""Inference is timed by timer 0; the log holds all figures, and data of the output only."""
QUIET = ("--no-version-check", "--no-progress", "--yamllint", "none")
"""Without network, terminal and linter."""
AS_PLANNED = "--no-deduplicate-weights"
"""Equal kernels of two layers have a place each, as in our map."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ConfirmedSynthesis(Synthesis):
    """What the maker's synthesizer made of a network; our figures are confirmed.

    Attributes:
        figures: the synthesizer's.
        warnings: of the synthesizer.
        version: commit of the checkout.
    """

    figures: SynthesisLog
    warnings: list[str]
    version: str

    def report(self) -> dict:
        found = {"version": self.version, "warnings": self.warnings}
        return {**super().report(), **found}


class Synthesizer:
    """A checkout of ai8x-synthesis, ready to be used.

    Args:
        fit: what the network occupies that will be synthesized, where that is known.

    Raises:
        ConfigError: there is no checkout where it is said to be, or the device is not the one it is for.
        SynthesisError: its environment cannot be made.
    """

    def __init__(self, config: SynthesisConfig, device: DeviceConfig, fit: Fit | None = None) -> None:
        if device.part.toolchain is None:
            supported = ", ".join(name for name, part in known_parts().items() if part.toolchain is not None)
            raise ConfigError(f"synthesis=ai8x: supports {supported} only, not {device.name}; use synthesis=estimate")
        self._checkout = find_checkout(config.path)
        self._python = environment_python(config.python)
        self._timeout_s = config.timeout_s
        self._device = device
        self._fit = fit

    def run(
        self, integer: IntegerNetwork, checkpoint: Path, dataset: str, sample: Tensor, folder: Path
    ) -> ConfirmedSynthesis:
        """Synthesizes an integer network and checks every figure.

        Args:
            checkpoint: file with the same network (docs/hardware.md, Checkpoints). It should hold tensors, strings
            and numbers
                only, which every version of torch loads.
            dataset: name for the YAML.
            sample: (C, H, W) integers, the input of the known-answer test.
            folder: for YAML, sample, project and messages; emptied before.

        Raises:
            DeviceError: the network does not fit.
            SynthesisError: the synthesizer fails, comes to other figures than we do, or writes other firmware.
        """
        cost = stored_cost(integer, self._device, self._fit)
        network = cost.network
        sequence = cost.fit.memory.network
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / NETWORK).write_text(network_yaml(cost.fit.memory, integer.bits, dataset))
        np.save(folder / SAMPLE, sample.numpy().astype(np.int64))
        project = folder / project_name(network.name)
        log.info("ai8x-synthesis: %s, %d layers ...", network.name, len(sequence.layers))
        start = time.monotonic()
        errors = self._call(arguments(network, checkpoint, project, self._device.part), folder, sequence)
        try:
            text = read_bounded(project / LOG, MAX_LOG_BYTES).decode()
            answer = read_array(project / KNOWN_ANSWER)
        except (OSError, ValueError, FormatError) as error:
            raise SynthesisError(f"ai8x-synthesis left no readable {LOG} and {KNOWN_ANSWER}: {error}") from error
        figures = parse_log(text)
        check_figures(cost, figures)
        check_answer(integer(sample[None])[0].numpy(), answer)
        check_equal(configuration(cost.fit.memory, integer.layers), project)
        log.info("ai8x-synthesis: %s cycles, in %.0f s", f"{figures.cycles:,}", time.monotonic() - start)
        doubts = warnings(errors, sequence)
        for doubt in doubts:
            log.warning("ai8x-synthesis warns: %s", doubt)
        # The firmware shifts outputs of few-bit weights up before its softmax (docs/hardware.md, Firmware).
        shift = 8 - integer.layers[-1].bits
        return ConfirmedSynthesis(integer, cost, project, answer, shift, figures, doubts, self.version)

    def _call(self, words: list[str], folder: Path, sequence: Network) -> str:
        """Runs ai8xize.py; what it says is kept in ``folder``, and its error stream returned.

        Args:
            sequence: the layers that it gets, for its messages.

        Raises:
            SynthesisError: it fails, or takes too long.
        """
        done = run_program(
            # An absolute Python, for the checkout asks pyenv for another; its own folder, for it looks for assets.
            [str(self._python), "ai8xize.py", *words],
            "ai8x-synthesis",
            folder=self._checkout,
            environment=clean_environment(),
            timeout_s=self._timeout_s,
        )
        (folder / "errors.txt").write_text(done.errors)
        (folder / "output.txt").write_text(done.output)
        if done.code is None:
            raise SynthesisError(
                f"ai8x-synthesis was stopped after {self._timeout_s} s; raise synthesis.timeout_s, or use "
                "synthesis=estimate"
            )
        if done.code:
            raise SynthesisError(f"ai8x-synthesis refuses {sequence.name}: {error_message(done.errors, sequence)}")
        return done.errors

    def sample(self, dataset: str, shape: Shape) -> Tensor | None:
        """The maker's own sample for a data set, so that known answers compare with its own; None if it has none.

        Args:
            shape: (C, H, W) that it must have.
        """
        for path in sorted((self._checkout / "tests").glob("sample_*.npy")):
            if _letters(path.stem.removeprefix("sample_")) == _letters(dataset):
                try:
                    image = read_array(path)
                except FormatError as error:
                    raise SynthesisError(f"{path}: {error}; repair the checkout of ai8x-synthesis") from error
                # Signals are kept without their one column.
                if shape in (image.shape, (*image.shape, 1)) and image.dtype.kind in "iu":
                    return torch.from_numpy(image.astype(np.int64)).reshape(shape)
        return None

    @property
    def version(self) -> str:
        """Returns the commit of the checkout; ``unknown`` without git."""
        try:
            command = ["git", "-C", str(self._checkout), "rev-parse", "HEAD"]
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError:
            return "unknown"
        return done.stdout.strip() or "unknown"


def arguments(network: Network, checkpoint: Path, project: Path, part: Part) -> list[str]:
    """The synthesizer's command line, for inputs beside the project's folder."""
    folder = project.parent.absolute()
    last = network.layers[-1]
    softmax = ["--softmax"] if last.wide and last.out_shape[1:] == (1, 1) else []
    return [
        *("--config-file", str(folder / NETWORK), "--checkpoint-file", str(checkpoint.absolute())),
        *("--sample-input", str(folder / SAMPLE), "--sample-numpy-filename", KNOWN_ANSWER),
        *("--test-dir", str(folder), "--prefix", project.name, "--device", part.tools.synthesizer_name),
        *(*FLAGS, *QUIET, AS_PLANNED, *softmax),
    ]


def find_checkout(path: str | None) -> Path:
    """The folder of ai8x-synthesis: ``path``, else $AI8X_SYNTHESIS.

    Raises:
        ConfigError: none is named, or the synthesizer is not there.
    """
    given = path or os.environ.get(CHECKOUT_VARIABLE)
    remedy = "clone https://github.com/analogdevicesinc/ai8x-synthesis and give its folder"
    if not given:
        raise ConfigError(
            f"synthesis=ai8x: needs the maker's synthesizer; {remedy} as synthesis.path or {CHECKOUT_VARIABLE}, or "
            "use synthesis=estimate"
        )
    folder = Path(given).expanduser().absolute()
    for needed in ("ai8xize.py", "izer", "assets"):
        if not (folder / needed).exists():
            source = "synthesis.path" if path else CHECKOUT_VARIABLE
            raise ConfigError(f"{source}={given}: no checkout of ai8x-synthesis, {needed} is missing; {remedy}")
    return folder


def _letters(name: str) -> str:
    """Returns ``cifar10`` of ``CIFAR-10``: the maker spells names in several ways."""
    return re.sub(r"[^a-z0-9]", "", name.lower())
