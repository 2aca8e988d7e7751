"""Trainings from Python: ``maxexp.train``."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path

from maxexp.api.asked import Dataset, key_overrides
from maxexp.api.loading import load
from maxexp.api.model import Model
from maxexp.api.network import Untrained
from maxexp.base import this_process
from maxexp.base.errors import ConfigError
from maxexp.quantization.config import Method
from maxexp.schema.config import Config
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store

OUTPUTS = Path("mlruns/outputs")
"""Where runs keep their local files, as those of the command line."""


@dataclass(frozen=True)
class Run:
    """A finished training.

    Attributes:
        id: of the run in the tracking store; None where nothing was recorded.
        metrics: by name, as in the run record: ``metrics["test/accuracy_float"]``.
    """

    id: str | None
    metrics: Mapping[str, float]
    _tracking_uri: str | None = field(default=None, repr=False)
    _trained: Model | None = field(default=None, repr=False)

    @cached_property
    def network(self) -> Model:
        """Returns what was trained: the network of the epoch with the best validation score in the last phase."""
        if self._trained is not None:
            return self._trained
        from maxexp.tracking.artifacts import CHECKPOINTS
        from maxexp.training.files import FLOAT, QAT, best_file

        run = read_run(open_store(TrackingConfig(uri=self._tracking_uri)), str(self.id))
        kept = run.artifacts(CHECKPOINTS)
        paths = [f"{CHECKPOINTS}/{best_file(phase)}" for phase in (QAT, FLOAT)]
        path = next(path for path in paths if path in kept)
        return load(f"run:{self.id}/{path}", tracking_uri=self._tracking_uri)


def train(
    network: Untrained,
    data: Dataset | None = None,
    *,
    epochs: int | None = None,
    quantization: str = "float",
    track: bool = True,
    seed: int | None = None,
    tracking_uri: str | None = None,
    overrides: Sequence[str] = (),
) -> Run:
    """Trains a network, as ``python -m maxexp`` does.

    Args:
        network: what :func:`maxexp.network` gave.
        data: a preset's name, or a folder of images by class, whose classes are counted; default the data set that
            the network was described for.
        epochs: of all phases together; default 20.
        quantization: ``"float"`` trains in floating point, to be quantized by ``run.network.quantize()``; ``"qat"``
            goes on quantization-aware in the last epochs; ``"ptq"`` quantizes after the training.
        track: whether the run is recorded, with its curves, checkpoints and figures; without it nothing is kept but
            the network.
        seed: of weights, order and augmentation; default 1.
        tracking_uri: where it is recorded; default as for ``python -m maxexp``.
        overrides: further keys as on the command line: ``["augmentation=basic", "recipe.learning_rate=0.002"]``.

    Raises:
        ConfigError, DeviceError, DataError: it is refused before it begins, and leaves no run.
        TrainingError: it diverged.

    Example:
        >>> run = maxexp.train(maxexp.network("digitsnet", dataset="digits"), epochs=5, track=False)
        >>> run.network.quantize(bits=8).evaluate()
        {'accuracy': 0.95}
    """
    this_process.prepare()
    described = network if data is None else network.for_dataset(data)
    keys = {
        "quantization": quantization,
        "trainer.max_epochs": epochs,
        "seed": seed,
        "tracking.uri": tracking_uri,
    }
    typed = [*described.asked.overrides, *key_overrides(keys), *overrides]
    config = described.asked.config([*key_overrides(keys), *overrides])
    return _recorded(config, typed) if track else _unrecorded(config)


def _recorded(config: Config, typed: Sequence[str]) -> Run:
    from maxexp.run.execution import new_run

    now = datetime.now()
    run_id = new_run(config, typed, OUTPUTS / f"{now:%Y-%m-%d}" / f"{now:%H-%M-%S}-{now:%f}")
    uri = config.tracking.uri
    return Run(run_id, read_run(open_store(config.tracking), run_id).metrics, uri)


def _unrecorded(config: Config) -> Run:
    """The same training without a record: what a run keeps of it is not there."""
    from maxexp.quantization.files.export import to_integer
    from maxexp.run.context import RunContext
    from maxexp.run.networks import Floating, Quantized
    from maxexp.run.self_description import SelfDescription
    from maxexp.run.spec import describe
    from maxexp.run.stages.plan import refusals
    from maxexp.training.phases import RunFiles, Training, TrainingSettings

    if config.recipe.distillation is not None:
        raise ConfigError("track=False: a training with a teacher is recorded; leave track=False out, or the teacher")
    spec = describe(config)
    if found := refusals(spec):
        raise ConfigError("; also: ".join(found))
    with tempfile.TemporaryDirectory(prefix="maxexp-") as folder:
        context = RunContext(config, Path(folder))
        context.check_data(("train", "validation"))
        settings = TrainingSettings(
            context.task, config.quantization, config.recipe, config.trainer, config.seed, context.device
        )
        files = RunFiles(Path(folder), lambda path: None, lambda phase, offset: None)
        trained = Training(spec.network, context.data, settings, files).run()
    part = context.data.train
    description = SelfDescription.of(config, part.classes, part.unit, part.input_range)
    module, metrics = trained.network.cpu(), {context.task.selects.chosen.key: trained.value}
    qat = config.quantization.method is Method.qat
    model = Model(Quantized(module, to_integer(module)) if qat else Floating(module), description)
    if config.quantization.method is Method.ptq:
        bits, layers = config.quantization.weight_bits, config.quantization.layer_bits
        model = model.quantize(bits, layer_bits=layers, device=config.device)
    return Run(None, metrics, None, model)
