"""Makes maxexp's sweeper known to Hydra, which looks for plugins here; chosen by ``hydra/sweeper=maxexp``."""

from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class MaxexpSweeper(Sweeper):
    """Hands Hydra's request to :mod:`maxexp.sweep`, which is imported only then.

    Args:
        settings: the keys of ``hydra.sweeper``.
    """

    def __init__(self, **settings: Any) -> None:
        self._settings = settings

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.hydra_context = hydra_context
        self.config = config

    def sweep(self, arguments: list[str]) -> None:
        from maxexp.sweep.planning import run_sweep

        assert self.config is not None and self.hydra_context is not None
        run_sweep(self._settings, arguments, self.config, self.hydra_context.config_loader)
