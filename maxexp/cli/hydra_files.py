"""What Hydra would write beside a run, without the secrets that it would write too."""

from pathlib import Path
from typing import Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from maxexp.base.languages.yaml_text import omegaconf_yaml
from maxexp.base.secrets import values_without_secrets
from maxexp.run.addresses import keep_secrets

FOLDER = ".hydra"
"""As Hydra calls it."""


class SecretFreeFiles(Callback):
    """Writes ``config.yaml``, ``hydra.yaml`` and ``overrides.yaml`` into ``.hydra`` in the folder of each job.

    Hydra itself does not, for ``hydra.output_subdir`` is null.
    """

    def on_run_start(self, config: DictConfig, **_: Any) -> None:
        keep_secrets(config)

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        keep_secrets(config)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        plain: Any = values_without_secrets(OmegaConf.to_container(config, resolve=False))
        hydra = plain.pop("hydra")
        folder = Path(hydra["runtime"]["output_dir"]) / FOLDER
        folder.mkdir(parents=True, exist_ok=True)
        contents = {"config": plain, "hydra": {"hydra": hydra}, "overrides": hydra["overrides"]["task"]}
        for name, content in contents.items():
            (folder / f"{name}.yaml").write_text(omegaconf_yaml(content), encoding="utf-8")
