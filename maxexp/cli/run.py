"""The command: ``python -m maxexp KEY=VALUE ...``."""

import logging
import sys
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from maxexp import __version__
from maxexp.base import garbage, this_process
from maxexp.base.exit_codes import exit_code
from maxexp.base.shipped import conf_dir
from maxexp.cli.arguments import check_words, overrides_first
from maxexp.cli.jobs import Jobs
from maxexp.run.composition import translate_composition_errors
from maxexp.run.config import register_schema, to_config
from maxexp.run.exact_ranges import use_exact_ranges
from maxexp.sweep.search import config as _sweep_schema  # noqa: F401  declares which keys of the sweep hold texts

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
    if config.checkpoint:
        from maxexp.run.described_checkpoints import with_own_network

        config = with_own_network(config, HydraConfig.get().overrides.task)
    from maxexp.run.execution import new_run

    new_run(config, HydraConfig.get().overrides.task, output_dir(), _searchpath())


def _searchpath() -> list[str]:
    """The configuration folders of the user's own."""
    sources = HydraConfig.get().runtime.config_sources
    return [source.path for source in sources if source.provider not in ("hydra", "main", "schema")]


def output_dir() -> Path:
    """Returns Hydra's folder for this run."""
    return Path(HydraConfig.get().runtime.output_dir)


def main() -> int:
    """Runs the command; returns its exit code."""
    if sys.argv[1:] == ["--version"]:  # Hydra would answer with its own
        print(f"maxexp {__version__}")
        return 0
    garbage.pause()
    this_process.prepare()
    use_exact_ranges()
    return exit_code(PROGRAM, _run_jobs)


def _run_jobs() -> None:
    """All jobs of the command line; raises what failed."""
    check_words(sys.argv[1:])
    sys.argv[1:] = overrides_first(sys.argv[1:])
    with translate_composition_errors():
        run()
    _jobs.check()
