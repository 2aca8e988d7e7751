"""Knowledge distillation (arXiv 1503.02531): trained larger networks as a second source of labels."""

from pathlib import Path
from typing import Self

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.base.errors import ConfigError
from maxexp.network.graph import build_network
from maxexp.network.module import NetworkModule
from maxexp.network.sizes import Shape
from maxexp.quantization.files.checkpoint import Kind, read_checkpoint, to_module
from maxexp.quantization.simulate.fold import fold_batchnorm
from maxexp.training.answers import Answers, batch_key, open_answers
from maxexp.training.config import DistillationConfig


class Teacher:
    """A larger network's opinion of augmented images.

    With ``config.views`` the same batches come again after so many epochs, and its answers are remembered:
    views x images x classes numbers of 2 bytes.

    Args:
        module: the trained network.
        config: the settings of the distillation.
        answers: those known so far.
    """

    def __init__(self, module: NetworkModule, config: DistillationConfig, answers: Answers) -> None:
        self._module = module.eval().requires_grad_(False)
        self._config = config
        self._answers = answers

    def to(self, device: torch.device) -> Self:
        """Moves the network to where the images are."""
        self._module.to(device)
        return self

    @torch.no_grad()
    def answer(self, inputs: Tensor) -> Tensor:
        """Logits (N, classes), in the precision of training or float16, of inputs (N, C, H, W)."""
        if self._config.views is None:
            return self._ask(inputs)
        key = batch_key(inputs)
        answer = self._answers.get(key)
        if answer is None:
            # On the CPU: a GPU's memory is for training.
            self._answers[key] = answer = self._ask(inputs).half().cpu()
        return answer.to(inputs.device)

    def _ask(self, inputs: Tensor) -> Tensor:
        answer = self._module(inputs)
        if self._config.mirror:
            answer = (answer + self._module(inputs.flip(3))) / 2
        return answer


STANDARDIZED_FACTOR = 10.0
"""By which the teacher's part of the loss grows with standardized logits, whose divergence is as much smaller: the
authors' weight is 9 instead of 0.9 (github.com/sunshangquan/logit-standardization-KD)."""


class Distillation:
    """What a network learns from its teachers besides the labels.

    Args:
        config: how much they count.
        teachers: one or several, whose mean logits are learned.
    """

    def __init__(self, config: DistillationConfig, teachers: list[Teacher]) -> None:
        self._config = config
        self._teachers = teachers

    def mix(self, loss: Tensor, logits: Tensor, inputs: Tensor) -> Tensor:
        """The loss on the labels mixed with that on the teachers' probabilities.

        The latter is the Kullback-Leibler divergence times the temperature squared, which keeps its gradients
        as large as those of the labels at any temperature. With ``config.standardize`` both sides' logits are
        standardized before (arXiv 2403.01427, equation 8).

        Args:
            loss: on the labels.
            logits: (N, classes) of the network that learns.
            inputs: (N, C, H, W) that it saw.
        """
        weight, temperature, factor = self._config.weight, self._config.temperature, 1.0
        answer = torch.stack([teacher.answer(inputs).float() for teacher in self._teachers]).mean(0)
        if self._config.standardize:
            answer, logits, factor = standardized(answer), standardized(logits), STANDARDIZED_FACTOR
        target = F.log_softmax(answer / temperature, 1)
        own = F.log_softmax(logits / temperature, 1)
        divergence = F.kl_div(own, target, reduction="batchmean", log_target=True)
        return (1 - weight) * loss + weight * factor * temperature**2 * divergence


def standardized(logits: Tensor) -> Tensor:
    """Logits (N, classes) of mean 0 and standard deviation 1 in each row; zeros where all are equal."""
    deviation, mean = torch.std_mean(logits, 1, keepdim=True)
    return (logits - mean) / (deviation + 1e-7)


def load_teacher(
    config: DistillationConfig,
    path: Path,
    in_shape: Shape,
    classes: int,
    memory: Path,
) -> Teacher:
    """A teacher of a configuration, batch norm folded.

    Args:
        path: its checkpoint.
        in_shape: (C, H, W) of the images.
        classes: that it must tell apart.
        memory: folder where answers are kept, of all teachers that compute in one precision.

    Raises:
        ConfigError: it is quantized, or has another number of classes.
        CheckpointError: the checkpoint is not one of ``config.model``.
    """
    checkpoint = read_checkpoint(path)
    if checkpoint.kind is not Kind.float:
        raise ConfigError(f"recipe.distillation.checkpoint={path}: quantized; a teacher is a floating-point network")
    network = build_network(config.model, in_shape)
    if network.out_features != classes:
        shape = "x".join(map(str, network.layers[-1].out_shape))
        raise ConfigError(
            f"recipe.distillation.model has {network.out_features} outputs, the data set {classes} classes; its last "
            f"layer gives {shape} (channels, rows, columns) for these images"
        )
    module = to_module(checkpoint, network)
    fold_batchnorm(module)
    answers = open_answers(memory / "mirror" if config.mirror else memory, path, classes)
    return Teacher(module.to(memory_format=torch.channels_last), config, answers)
