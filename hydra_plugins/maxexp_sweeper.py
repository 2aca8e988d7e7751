"""Makes maxexp's sweeper known to Hydra, which looks for plugins here; chosen by ``hydra/sweeper=maxexp``."""

from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, OmegaConf

# Mappings whose keys are the user's: the command line can add some without a "+". Types are checked in maxexp.sweep.
_OPEN = OmegaConf.create({key: {} for key in ("objectives", "params", "when")})
for _mapping in _OPEN.values():
    OmegaConf.set_struct(_mapping, False)
ConfigStore.instance().store(group="hydra/sweeper", name="maxexp_open", node=_OPEN, provider="maxexp")


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
