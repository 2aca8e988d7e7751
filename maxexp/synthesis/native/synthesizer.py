"""Our own synthesizer: from an integer network to a firmware project, in a fraction of a second."""

import logging
import time
from pathlib import Path

import numpy as np
from torch import Tensor

from maxexp.chip.check import Fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.native.headers import Sample
from maxexp.synthesis.native.project import write_project
from maxexp.synthesis.stored import project_name, stored_cost
from maxexp.synthesis.synthesis import Synthesis

log = logging.getLogger(__name__)


def synthesize(
    integer: IntegerNetwork,
    device: DeviceConfig,
    sample: Tensor,
    classes: list[str] | None,
    folder: Path,
    fit: Fit | None = None,
) -> Synthesis:
    """Writes the firmware project of a network.

    Args:
        sample: (C, H, W) integers, the input of the known-answer test.
        classes: names of the outputs; None where they are no scores of classes.
        folder: gets the project, in a folder with the network's name.
        fit: what the network occupies, where that is known.

    Raises:
        ConfigError: there is no firmware for the device.
        DeviceError: the network does not fit.
        SynthesisError: the project does not fit the flash, or cannot be written.
    """
    _ = device.part.addresses, device.part.tools  # refused here where they are not known
    start = time.monotonic()
    cost = stored_cost(integer, device, fit)
    answer = integer(sample[None])[0].numpy().astype(np.int64)
    contents = configuration(cost.fit.memory, integer.layers)
    project = folder / project_name(integer.network.name)
    image = sample.numpy().astype(np.int8)
    write_project(project, contents, cost, Sample(image, answer), integer.output_exponent, classes)
    log.info("firmware project: %s, in %.2f s", project, time.monotonic() - start)
    return Synthesis(integer, cost, project, answer, 0)
