"""Firmware of a trained network in a folder, by the same stage that a run has, without its record."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from maxexp.base.errors import ConfigError
from maxexp.run.composition import compose_config
from maxexp.run.context import RunContext
from maxexp.run.networks import Integer, Product, Quantized
from maxexp.run.self_description import SelfDescription
from maxexp.run.spec import describe
from maxexp.run.stages.base import stage_class
from maxexp.schema.config import Config, Stage
from maxexp.tracking.record import RunRecord


def write_firmware(
    trained: Quantized | Integer, description: SelfDescription, folder: Path, overrides: Sequence[str]
) -> Path:
    """Writes the project of a quantized network; see :meth:`maxexp.Model.deploy`."""
    if folder.exists() and any(folder.iterdir()):
        raise ConfigError(f"{folder}: there is something in this folder; give an empty one, or a new one")
    config = _config(description, overrides)
    spec = describe(config, start=Integer(trained.integer))
    with tempfile.TemporaryDirectory(prefix="maxexp-") as temporary:
        stage = stage_class(Stage.synthesize)(spec, RunContext(config, Path(temporary)))
        stage.prepare()
        product = stage.run(Product(Integer(trained.integer)), cast(RunRecord, _Unrecorded()))
        if product.synthesis is None:
            method = config.synthesis.method.name
            raise ConfigError(
                f"synthesis={method}: gives figures and no firmware; write it with "
                'overrides=["synthesis=ai8x", "synthesis.path=/path/to/ai8x-synthesis"]'
            )
        shutil.copytree(product.synthesis.project, folder, dirs_exist_ok=True)
    return folder


def _config(description: SelfDescription, overrides: Sequence[str]) -> Config:
    """Returns the configuration of a run that only synthesizes the network."""
    config = compose_config(["stages=[synthesize]", *overrides])
    return replace(
        config,
        model=description.model,
        task=description.task,
        dataset=description.dataset,
        augmentation=replace(config.augmentation, normalize=description.normalize),
    )


class _Unrecorded:
    """Stands for the record of a run, and keeps nothing."""

    def __getattr__(self, name: str) -> Any:
        if not name.startswith(("log_", "set_")):
            raise AttributeError(name)
        return lambda *values, **keys: None
