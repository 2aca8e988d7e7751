"""The LightningModule: loss, metrics and optimization of one phase."""

from typing import cast

import torch
import torch.nn.functional as F
from pytorch_lightning import LightningModule
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.optim.swa_utils import AveragedModel

from maxexp.base.seeding import derived_seed
from maxexp.network.module import NetworkModule
from maxexp.quantization.simulate.fake import QuantizedNumerics
from maxexp.tasks.scores.classification import ACCURACY, TOP5
from maxexp.training.averaging import moving_average
from maxexp.training.config import RecipeConfig
from maxexp.training.distillation import Distillation
from maxexp.training.evaluation import first_maximum
from maxexp.training.metrics import TRAINING_LOSS, VALIDATION_LOSS
from maxexp.training.optimization import build_optimizer, build_schedule
from maxexp.training.small_images import seen

QUANTILES = "maxexp_quantiles"
"""In Lightning's checkpoints: the quantile of each quantized layer, by name; the weights do not tell it."""


class Classifier(LightningModule):
    """Image classification with one network in one phase.

    Args:
        network: the torch module, with the numerics of the phase.
        recipe: optimizer, schedule and loss of this phase.
        phase: ``float`` or ``qat``.
        epoch_offset: epochs of earlier phases.
        seed: of the whole run; the randomness of an epoch follows from it and the epoch's number.
        distillation: larger networks to learn from.

    Attributes:
        images_seen: training images of this epoch so far.
    """

    def __init__(
        self,
        network: NetworkModule,
        recipe: RecipeConfig,
        phase: str,
        epoch_offset: int,
        seed: int,
        distillation: Distillation | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.recipe = recipe
        self.phase = phase
        self.epoch_offset = epoch_offset
        self.seed = seed
        # Neither trained nor saved, so it must not become a submodule; Distillation is none.
        self.distillation = distillation
        self.images_seen = 0
        self.average: AveragedModel | None = None
        if recipe.weight_averaging is not None:
            averaging = moving_average(recipe.weight_averaging)
            self.average = AveragedModel(network, multi_avg_fn=averaging, use_buffers=True)

    @property
    def result(self) -> NetworkModule:
        """What is validated and kept: the average of the weights, or the network itself."""
        return self.network if self.average is None else cast(NetworkModule, self.average.module)

    @property
    def epoch(self) -> int:
        """Epoch of the run, all phases counted."""
        return self.current_epoch + self.epoch_offset

    def forward(self, inputs: Tensor) -> Tensor:
        return self.network(inputs)

    def on_train_epoch_start(self) -> None:
        # Dropout draws from the global generator; seeding each epoch makes a resumed run equal a whole one.
        torch.manual_seed(derived_seed(self.seed, self.epoch, "network"))
        self._sums = torch.zeros(2, device=self.device)
        self.images_seen = 0

    def training_step(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        inputs, labels = batch
        small = self.recipe.small_images
        shown = inputs if small is None else seen(inputs, small, self.current_epoch, self.trainer.max_epochs or 0)
        logits = self.network(shown).float()
        loss = F.cross_entropy(logits, labels, label_smoothing=self.recipe.label_smoothing)
        if self.distillation is not None:
            loss = self.distillation.mix(loss, logits, inputs)
        correct = (logits.detach().argmax(1) == labels).sum()
        self._sums += torch.stack((len(labels) * loss.detach(), correct))
        self.images_seen += len(labels)
        return loss

    def on_train_batch_end(self, *_: object) -> None:
        if self.average is not None:
            self.average.update_parameters(self.network)

    def training_means(self) -> dict[str, float]:
        """Loss and accuracy over the images of this epoch so far.

        Kept here because ``self.log`` takes 1 % of a step for each value.
        """
        loss, accuracy = (self._sums / self.images_seen).tolist()
        return {TRAINING_LOSS.key: loss, ACCURACY.train.key: accuracy}

    def validation_step(self, batch: tuple[Tensor, Tensor]) -> None:
        inputs, labels = batch
        # Checkpoints are chosen on these figures, so they are computed in float32 whatever training uses.
        with torch.autocast(inputs.device.type, enabled=False):
            logits = self.result(inputs)
        # Not from topk, which takes any of equal logits: the firmware, and the evaluation, take the first.
        top5 = logits.topk(min(5, logits.shape[1]), dim=1).indices
        values = {
            VALIDATION_LOSS.key: F.cross_entropy(logits, labels),
            ACCURACY.validation.key: (first_maximum(logits) == labels).float().mean(),
            TOP5.validation.key: (top5 == labels[:, None]).any(1).float().mean(),
        }
        # The record is written once per epoch by a callback, in one call.
        self.log_dict(values, on_step=False, on_epoch=True, logger=False, batch_size=len(labels))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        optimizer = build_optimizer(self.recipe, self.network.parameters())
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = build_schedule(self.recipe, optimizer, steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict) -> None:
        checkpoint["maxexp_phase"] = self.phase
        checkpoint["maxexp_epoch"] = self.epoch
        numerics = {layer.spec.name: layer.numerics for layer in self.network.layers()}
        checkpoint[QUANTILES] = {
            name: value.quantile for name, value in numerics.items() if isinstance(value, QuantizedNumerics)
        }
