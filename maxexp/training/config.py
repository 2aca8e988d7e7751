"""How a network is trained."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Annotated, Any

from maxexp.base.errors import check
from maxexp.base.frozen import frozen
from maxexp.base.roles import MACHINE, ROUNDING
from maxexp.base.text_keys import TEXTS
from maxexp.network.config import NetworkConfig

OPTIMIZERS = ("sgd", "adam", "adamw")
"""Optimizers that are chosen by name."""

SCHEDULES = ("constant", "cosine", "onecycle", "multistep")
"""Schedules that are chosen by name: the learning rate over the steps of one phase."""


class Precision(Enum):
    """Numbers in which training computes."""

    auto = "auto"
    float32 = "float32"
    bfloat16 = "bfloat16"


@frozen
@dataclass
class DistillationConfig:
    """Knowledge distillation (arXiv 1503.02531): the network also learns from a larger one's probabilities.

    Attributes:
        checkpoint: of the trained teacher; a floating-point network, as ``checkpoint`` of a run. Of a list of
            them, trained with other seeds or images, the mean of their logits is learned.
        model: the teacher's network; every teacher's.
        weight: share of the teacher in the loss; the labels have the rest.
        temperature: by which both networks' logits are divided before they are compared.
        standardize: each image's logits are brought to mean 0 and standard deviation 1 first, so that only their
            relations are learned, not the teacher's scale, which a small network cannot match (arXiv 2403.01427).
        views: epochs after which the same augmented images come again, so that the teacher's answers are
            remembered instead of computed; null: new images in every epoch.
        mirror: the teacher's answer is the mean of those to an image and to its mirror image. More accurate, at
            twice the time, where a mirrored image shows the same; wrong where it does not, as with digits.
    """

    checkpoint: Annotated[Any, TEXTS]  # str or list[str], which OmegaConf cannot declare
    model: NetworkConfig
    weight: float = 0.9
    temperature: float = 4.0
    standardize: bool = False
    views: int | None = 30
    mirror: bool = False

    def __post_init__(self) -> None:
        key = "recipe.distillation"
        named = bool(self.checkpoints) and all(isinstance(each, str) and each for each in self.checkpoints)
        check(f"{key}.checkpoint", self.checkpoint, named, "must be a file, run:RUN_ID, zoo:NAME or a list of them")
        check(f"{key}.weight", self.weight, 0 < self.weight <= 1, "must be above 0 and at most 1")
        check(f"{key}.temperature", self.temperature, self.temperature > 0, "must be above 0")
        check(f"{key}.views", self.views, self.views is None or self.views >= 1, "must be at least 1, or null")

    @property
    def checkpoints(self) -> list[str]:
        """One for each teacher."""
        return self.checkpoint if isinstance(self.checkpoint, list) else [self.checkpoint]


@frozen
@dataclass
class SmallImagesConfig:
    """Progressive resolution: the first epochs see smaller images, the means of squares of pixels.

    Attributes:
        divisor: of rows and columns; 2 makes an epoch about four times faster.
        share: of the floating-point epochs, the first ones. Validation and teachers see whole images always.
    """

    divisor: int = 2
    share: float = 0.6

    def __post_init__(self) -> None:
        key = "recipe.small_images"
        check(f"{key}.divisor", self.divisor, self.divisor >= 2, "must be at least 2, or recipe.small_images=null")
        check(f"{key}.share", self.share, 0 < self.share < 1, "must be above 0 and below 1")


@frozen
@dataclass
class RecipeConfig:
    """Optimizer, schedule and loss.

    Attributes:
        optimizer: one of ``OPTIMIZERS``, or ``_target_``, a class such as torch.optim.RMSprop, with its arguments but
            for learning rate and weight decay.
        learning_rate: peak of the floating-point phase, or of a training that is quantization-aware throughout.
        qat_optimizer: of quantization-aware fine-tuning; null: the same. Batch norm is folded there, so a rate that
            suits one optimizer before need not suit it after.
        qat_learning_rate: peak of quantization-aware fine-tuning.
        momentum: of sgd.
        schedule: of each phase for itself, from its peak: one of ``SCHEDULES``, or ``_target_``, a class such as
            torch.optim.lr_scheduler.StepLR, with its arguments, and ``interval``, epoch or step, after which it is
            stepped. Where the class takes ``T_max``, ``total_steps`` or ``total_iters`` and none is given, it is the
            length of the phase.
        warmup: share of a phase's steps in which ``onecycle`` rises to its peak.
        milestones: shares of a phase's epochs at which ``multistep`` multiplies the rate by ``gamma``.
        label_smoothing: probability spread over all classes in the loss.
        weight_averaging: decay per step of the moving average of the weights, which is what is validated
            and kept; null: no average.
        small_images: smaller images in early floating-point epochs; null: whole images always.
        distillation: null: the labels alone.
    """

    optimizer: Any = "adamw"
    learning_rate: float = 0.004
    qat_optimizer: Any = None
    qat_learning_rate: float = 0.0001
    weight_decay: float = 0.01
    momentum: float = 0.9
    schedule: Any = "onecycle"
    warmup: float = 0.2
    milestones: list[float] = field(default_factory=lambda: [0.33, 0.5, 0.67])
    gamma: float = 0.5
    label_smoothing: float = 0.0
    weight_averaging: float | None = None
    small_images: SmallImagesConfig | None = None
    distillation: DistillationConfig | None = None

    def __post_init__(self) -> None:
        for key in ("learning_rate", "qat_learning_rate", "gamma"):
            check(f"recipe.{key}", getattr(self, key), getattr(self, key) > 0, "must be above 0")
        check("recipe.weight_decay", self.weight_decay, self.weight_decay >= 0, "must not be negative")
        for key in ("momentum", "label_smoothing"):
            value = getattr(self, key)
            check(f"recipe.{key}", value, 0 <= value < 1, "must be at least 0 and below 1")
        decay = self.weight_averaging
        check("recipe.weight_averaging", decay, decay is None or 0 < decay < 1, "must be between 0 and 1, or null")
        check("recipe.warmup", self.warmup, 0 < self.warmup < 1, "must be above 0 and below 1")
        inside = all(0 < share < 1 for share in self.milestones)
        check("recipe.milestones", self.milestones, inside, "must be shares above 0 and below 1")
        self._check_optimization()

    def _check_optimization(self) -> None:
        for key in ("optimizer", "qat_optimizer") if self.qat_optimizer is not None else ("optimizer",):
            chosen = getattr(self, key)
            if isinstance(chosen, Mapping):
                # Only here: to import torch takes a second, which a wrong key elsewhere need not wait for.
                from maxexp.training.chosen import check_optimizer

                check_optimizer(f"recipe.{key}", chosen, self.weight_decay)
            else:
                check(f"recipe.{key}", chosen, chosen in OPTIMIZERS, _allowed(OPTIMIZERS))
        if isinstance(self.schedule, Mapping):
            from maxexp.training.chosen import check_schedule

            check_schedule("recipe.schedule", self.schedule)
        else:
            check("recipe.schedule", self.schedule, self.schedule in SCHEDULES, _allowed(SCHEDULES))

    def fine_tuning(self) -> "RecipeConfig":
        """The recipe of a quantization-aware phase that begins with a trained network."""
        optimizer = self.optimizer if self.qat_optimizer is None else self.qat_optimizer
        return replace(self, optimizer=optimizer, learning_rate=self.qat_learning_rate, small_images=None)


def _allowed(names: tuple[str, ...]) -> str:
    return f"must be one of {', '.join(names)}, or {{_target_: package.module.Class, ARGUMENT: VALUE, ...}}"


@frozen
@dataclass
class TrainerConfig:
    """The training loop.

    Attributes:
        max_epochs: of all phases together.
        batch_size: images per step.
        accelerator: auto (a GPU if there is one), cpu, gpu. Not mps: ranges and factors need float64.
        precision: ``auto`` is bfloat16 where the processor computes with it, else float32.
        threads: CPU threads; default torch's own: all cores, or fewer where OMP_NUM_THREADS says so.
        callbacks: Lightning's, by names of one's own: ``_target_``, a class such as
            pytorch_lightning.callbacks.EarlyStopping, and its arguments; null: none. Each phase has new ones.
        progress: progress bar within each epoch, on a terminal.
    """

    max_epochs: int = 20
    batch_size: int = 128
    accelerator: str = "auto"
    precision: Precision = Precision.auto
    threads: int | None = field(default=None, metadata=ROUNDING)
    callbacks: dict[str, Any] = field(default_factory=dict)
    progress: bool = field(default=True, metadata=MACHINE)

    def __post_init__(self) -> None:
        for key in ("max_epochs", "batch_size"):
            check(f"trainer.{key}", getattr(self, key), getattr(self, key) >= 1, "must be at least 1")
        check("trainer.threads", self.threads, self.threads is None or self.threads >= 1, "must be at least 1")
        known = ("auto", "cpu", "gpu")
        allowed = f"must be one of {', '.join(known)}"
        check("trainer.accelerator", self.accelerator, self.accelerator in known, allowed)
        if self.callbacks:
            # Only here: to import Lightning takes seconds.
            from maxexp.training.own_callbacks import make_callbacks

            make_callbacks(self.callbacks)
