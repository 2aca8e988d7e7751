"""The command: ``python -m maxexp KEY=VALUE ...``."""

import logging
import os
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from omegaconf import DictConfig
from omegaconf.errors import OmegaConfBaseException

from maxexp import garbage
from maxexp.composition import conf_dir, described_network
from maxexp.config import NULL_GROUP, Config, Stage, explain, register_schema, to_config
from maxexp.device.check import check_fit
from maxexp.errors import DeviceError, MaxexpError
from maxexp.network.graph import Network
from maxexp.quantization.config import Method

log = logging.getLogger(__name__)

_failed = False
"""Whether a job of this process ended with an error; a sweep has several."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it."""


register_schema()


@hydra.main(version_base="1.3", config_path=conf_dir(), config_name="config")
def run(composed: DictConfig) -> None:
    """One job of Hydra; errors of the user end it in one line and exit code 1."""
    global _failed
    try:
        run_stages(composed)
    except MaxexpError as error:
        # Caught here, for Hydra would add lines of its own; and a sweep goes on with its other jobs.
        if not error.shown:
            show_error(error)
        _failed = True


def run_stages(composed: DictConfig) -> None:
    """One run, from the composed configuration to the closed record."""
    config = to_config(composed)
    if config.resume:
        from maxexp.resume import resume_run

        resume_run(config, config.resume, HydraConfig.get().overrides.task, output_dir())
        return
    network = described_network(config)
    refusal = refuse(config, network)
    if refusal:
        # At once: to open the record takes seconds.
        show_error(refusal)
        refusal.shown = True
    from maxexp.execution import new_run

    new_run(config, network, HydraConfig.get().overrides.task, output_dir(), refusal)


def refuse(config: Config, network: Network) -> DeviceError | None:
    """Why the network cannot run on the device; None if it can, or if it is not meant to."""
    quantization = config.quantization
    bits = quantization.bits(network)
    if Stage.train in config.stages:
        quantization.float_epochs(config.trainer.max_epochs)
    try:
        check_fit(network, bits, config.device)
    except DeviceError as error:
        if config.checkpoint:
            return None  # it brings bits of its own; the pipeline checks those
        if quantization.method is Method.float:
            log.warning("this network would not run on %s: %s", config.device.name, error)
            return None
        return error
    return None


def output_dir() -> Path:
    """Hydra's folder for this run."""
    return Path(HydraConfig.get().runtime.output_dir)


def show_error(text: object) -> None:
    """Print an error as one line."""
    print(f"maxexp: error: {text}", file=sys.stderr, flush=True)


def main() -> None:
    """Entry point; a configuration that cannot be composed ends in one line and exit code 1."""
    garbage.pause()
    # Hydra would print its own errors over several lines; with this it hands them to us.
    os.environ.setdefault("HYDRA_FULL_ERROR", "1")
    try:
        run()
    except (HydraException, OmegaConfBaseException) as error:
        show_error(explain(error))
        sys.exit(1)
    except AssertionError as error:
        if NULL_GROUP not in str(error):
            raise
        show_error(explain(error))
        sys.exit(1)
    except (MaxexpError, OSError) as error:
        # A sweep that cannot begin or go on; a folder that cannot be made, a full disk.
        show_error(error)
        sys.exit(1)
    except KeyboardInterrupt:
        print("maxexp: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)
    if _failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
