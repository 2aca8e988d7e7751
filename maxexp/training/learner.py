"""The LightningModule: one network that learns a task in one phase."""

from typing import cast

import torch
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from maxexp.base.seeding import derived_seed
from maxexp.data.store.arrays import TargetUnit
from maxexp.network.module import NetworkModule
from maxexp.quantization.simulate.fake import QuantizedNumerics
from maxexp.tasks.base import LOSS, Sums, Task
from maxexp.training.averaging import moving_average
from maxexp.training.config import RecipeConfig
from maxexp.training.distillation import Distillation
from maxexp.training.metrics import VALIDATION_LOSS
from maxexp.training.optimization import build_optimizer, build_schedule
from maxexp.training.small_images import seen

QUANTILES = "maxexp_quantiles"
"""In Lightning's checkpoints: the quantile of each quantized layer, by name; the weights do not tell it."""


class Learner(LightningModule):
    """One network that learns a task in one phase.

    Args:
        network: the torch module, with the numerics of the phase.
        task: loss and scores.
        unit: of the targets.
        recipe: optimizer, schedule and loss of this phase.
        phase: ``float`` or ``qat``.
        epoch_offset: epochs of earlier phases.
        seed: of the whole run; the randomness of an epoch follows from it and the epoch's number.
        distillation: larger networks to learn from.

    Attributes:
        went_on: whether an epoch has ended, so that all that a checkpoint restores has been used.
    """

    def __init__(
        self,
        network: NetworkModule,
        task: Task,
        unit: TargetUnit,
        recipe: RecipeConfig,
        phase: str,
        epoch_offset: int,
        seed: int,
        distillation: Distillation | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.task = task
        self.unit = unit
        self.recipe = recipe
        self.phase = phase
        self.epoch_offset = epoch_offset
        self.seed = seed
        # Neither trained nor saved, so it must not become a submodule; Distillation is none.
        self.distillation = distillation
        self.went_on = False
        self._sums = Sums()
        self._validation = Sums()
        self.average: AveragedModel | None = None
        if recipe.weight_averaging is not None:
            averaging = moving_average(recipe.weight_averaging)
            self.average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)

    @property
    def result(self) -> NetworkModule:
        """Returns what is validated and kept: the average of the weights, or the network itself."""
        return self.network if self.average is None else cast(NetworkModule, self.average.module)

    @property
    def images_seen(self) -> int:
        """Returns the number of training examples of this epoch so far."""
        return self._sums.examples

    @property
    def epoch(self) -> int:
        """Returns the epoch of the run, all phases counted."""
        return self.current_epoch + self.epoch_offset

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def on_train_epoch_start(self) -> None:
        # Dropout draws from the global generator; seeding each epoch makes a resumed run equal a whole one.
        torch.manual_seed(derived_seed(self.seed, self.epoch, "network"))
        self._sums = Sums()

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, targets = batch
        small = self.recipe.small_images
        shown = inputs if small is None else seen(inputs, small, self.current_epoch, self.trainer.max_epochs or 0)
        outputs = self.network(shown).float()
        loss = self.task.loss(outputs, targets, self.recipe.label_smoothing)
        if self.distillation is not None:
            loss = self.distillation.mix(loss, outputs, inputs)
        count = len(targets)
        totals = self.task.selecting_totals(outputs.detach(), targets)
        self._sums.add(count, {LOSS: count * loss.detach(), **totals})
        return loss

    def on_train_epoch_end(self) -> None:
        self.went_on = True

    def on_train_batch_end(self, *_: object) -> None:
        if self.average is not None:
            self.average.update_parameters(self.network)

    def training_means(self) -> dict[str, float]:
        """Loss and the score that selects, over the examples of this epoch so far.

        Kept here because ``self.log`` takes 1 % of a step for each value.
        """
        means = self.task.means(self._sums, self.unit)
        return {f"train/{name}": value for name, value in means.items()}

    def on_validation_epoch_start(self) -> None:
        self._validation = Sums()

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        inputs, targets = batch
        # Checkpoints are chosen on these figures, so they are computed in float32 whatever training uses.
        with torch.autocast(inputs.device.type, enabled=False):
            outputs = self.result(inputs)
        self._validation.add(len(targets), self.task.totals(outputs, targets))

    def on_validation_epoch_end(self) -> None:
        """Hands metrics to the schedules and callbacks of Lightning that watch one."""
        self.log_dict(self.validation_means(), logger=False)

    def validation_means(self) -> dict[str, float]:
        """Loss and all scores over the validation examples."""
        means = self.task.means(self._validation, self.unit)
        return {f"val/{name}": value for name, value in means.items()}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = build_optimizer(self.recipe, self.network.parameters())
        steps = int(self.trainer.estimated_stepping_batches)
        epochs = self.trainer.max_epochs
        assert epochs is not None
        schedule, interval = build_schedule(self.recipe, optimizer, steps, epochs)
        # Schedules that look at the validation look at its loss.
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": interval, "monitor": VALIDATION_LOSS.key},
        }

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["maxexp_phase"] = self.phase
        checkpoint["maxexp_epoch"] = self.epoch
        numerics = {layer.spec.name: layer.numerics for layer in self.network.layers()}
        checkpoint[QUANTILES] = {
            name: value.quantile for name, value in numerics.items() if isinstance(value, QuantizedNumerics)
        }

    def on_load_checkpoint(self, checkpoint: dict) -> None:
        # Lightning goes on without a word where there are none, with a fresh optimizer.
        if len(checkpoint["optimizer_states"]) != 1 or len(checkpoint["lr_schedulers"]) != 1:
            raise ValueError("it has no state of the optimizer, or none of its learning rate")
