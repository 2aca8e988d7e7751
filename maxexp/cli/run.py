"""The command: ``python -m maxexp KEY=VALUE ...``."""

import logging
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from maxexp import __version__
from maxexp.base import garbage, this_process
from maxexp.base.errors import DeviceError
from maxexp.base.exit_codes import exit_code, show_error
from maxexp.chip.check import check_fit
from maxexp.cli.arguments import overrides_first
from maxexp.cli.jobs import Jobs
from maxexp.network.graph import Network
from maxexp.quantization.config import Method
from maxexp.run.composition import composition_errors_told, conf_dir, described_network
from maxexp.run.config import register_schema, to_config
from maxexp.run.exact_ranges import use_exact_ranges
from maxexp.schema.config import Config, Stage

log = logging.getLogger(__name__)

PROGRAM = "maxexp"

_jobs = Jobs(PROGRAM)
"""Of this process."""

register_schema()


@hydra.main(version_base="1.3", config_path=conf_dir(), config_name="config")
def run(composed: DictConfig) -> None:
    """One job of Hydra; errors of the user end it in one line and exit code 1."""
    with _jobs.job(list(HydraConfig.get().overrides.task)):
        run_stages(composed)


def run_stages(composed: DictConfig) -> None:
    """One run, from the composed configuration to the closed record."""
    config = to_config(composed)
    if config.resume:
        from maxexp.run.resume import resume_run

        resume_run(config, config.resume, HydraConfig.get().overrides.task, output_dir())
        return
    network = described_network(config)
    refusal = refuse(config, network)
    if refusal:
        # At once: to open the record takes seconds.
        show_error(PROGRAM, refusal)
    from maxexp.run.execution import new_run

    new_run(config, network, HydraConfig.get().overrides.task, output_dir(), refusal)


def refuse(config: Config, network: Network) -> DeviceError | None:
    """Why the network cannot run on the device; None if it can, or if it is not meant to."""
    quantization = config.quantization
    bits = quantization.bits(network)
    if Stage.train in config.stages:
        quantization.float_epochs(config.trainer.max_epochs)
    try:
        check_fit(network, bits, config.device.part)
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


def main() -> int:
    """Entry point; the exit code says how it went."""
    if sys.argv[1:] == ["--version"]:  # Hydra would answer with its own
        print(f"maxexp {__version__}")
        return 0
    garbage.pause()
    this_process.prepare()
    use_exact_ranges()
    return exit_code(PROGRAM, _run_jobs)


def _run_jobs() -> None:
    """All jobs of the command line; raises what failed."""
    sys.argv[1:] = overrides_first(sys.argv[1:])
    with composition_errors_told():
        run()
    _jobs.check()
