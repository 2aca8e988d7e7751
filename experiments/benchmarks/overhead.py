"""What maxexp costs per step beyond a bare loop with the same network, augmentation and optimizer.

    python overhead.py float|qat IMAGES EPOCHS

trains in one process, an epoch with maxexp and one with the bare loop by turns, and prints the seconds of every step
(from the end of one to the end of the next) and of every epoch but the first.
"""

import json
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from torch.optim.optimizer import register_optimizer_step_post_hook
from turns import Size, call, say, spread
from workload import (
    AUGMENTATION,
    BATCH,
    PHASE_LABELS,
    PHASES,
    cifar10,
    nascifarnet,
    run_data,
    train_recorded,
    training_settings,
)

from maxexp.data.augmentation.augment import BatchAugmentation
from maxexp.data.augmentation.pixels import evaluation_input
from maxexp.data.run_data import RunData
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.quantization.simulate.fold import estimate_batchnorm
from maxexp.training.config import Precision
from maxexp.training.hardware import training_precision
from maxexp.training.optimization import build_optimizer, build_schedule
from maxexp.training.phases import TrainingSettings

TITLE = "Overhead over a bare loop"
LOOPS = {"bare": "bare loop", "maxexp": "maxexp"}
COLORS = {"bare": "#bbbbbb", "maxexp": "#4477aa"}
FULL_EPOCH = 45_000
"""Images of an epoch of CIFAR-10, a tenth being set aside."""


def measure(size: Size) -> dict:
    """Milliseconds per step of both loops, and what maxexp adds, in both phases."""
    images, epochs = 2 * size.images, size.epochs * size.rounds + 1
    result = {}
    for phase in PHASES:
        result[phase] = summarize(call("overhead.py", phase, images, epochs), images // BATCH)
        say(f"overhead, {phase}: {100 * result[phase]['per_step']:.1f} % per step")
    return result


def summarize(loops: dict[str, dict[str, list[float]]], steps: int) -> dict:
    """Medians; per step and for whole epochs, validation and record included."""
    row: dict = {name: {key: spread(values) for key, values in loop.items()} for name, loop in loops.items()}
    step, epoch = ({name: row[name][key]["median"] for name in row} for key in ("step_s", "epoch_s"))
    row["per_step"] = step["maxexp"] / step["bare"] - 1
    # Record and checkpoint: once per epoch, however long it is.
    row["per_epoch_s"] = epoch["maxexp"] - epoch["bare"] - steps * (step["maxexp"] - step["bare"])
    row["full_epoch"] = row["per_step"] + row["per_epoch_s"] / (FULL_EPOCH // BATCH * step["bare"])
    return row


def markdown(result: dict) -> str:
    """Per step, per epoch."""
    lines = ["| | bare loop, ms/step | maxexp, ms/step | overhead | and once per epoch | full epoch |"]
    lines.append("|--|--:|--:|--:|--:|--:|")
    for phase, row in result.items():
        steps = " | ".join(f"{1000 * row[name]['step_s']['median']:.1f}" for name in LOOPS)
        lines.append(
            f"| {PHASE_LABELS[phase]} | {steps} | {100 * row['per_step']:.1f} % | {row['per_epoch_s']:.2f} s "
            f"| {100 * row['full_epoch']:.1f} % |"
        )
    return "\n".join(lines)


def draw(axes: Axes, result: dict) -> None:
    """Milliseconds per step."""
    for group, row in enumerate(result.values()):
        for index, (name, label) in enumerate(LOOPS.items()):
            place, value = group + 0.4 * (index - 0.5), 1000 * row[name]["step_s"]["median"]
            axes.bar(place, value, 0.38, color=COLORS[name], label=None if group else label)
            more = f"\n{100 * row['per_step']:+.1f} %" if name == "maxexp" else ""
            axes.annotate(f"{value:.1f}{more}", (place, value), (0, 3), ha="center", textcoords="offset points",
                          fontsize=9)  # fmt: skip
    axes.set_xticks(range(len(result)), [PHASE_LABELS[phase] for phase in result])
    axes.set_ylabel("milliseconds per step, median")
    axes.set_ylim(0, 1.35 * max(1000 * row[name]["step_s"]["median"] for row in result.values() for name in LOOPS))
    axes.legend(frameon=False, ncols=2, loc="upper center")


class BareLoop:
    """The numerics, data, optimizer and schedule of maxexp, and nothing around them."""

    def __init__(self, settings: TrainingSettings, data: RunData, epochs: int) -> None:
        network, quantization = nascifarnet(), settings.quantization
        self.module = NetworkModule(network)
        if quantization.method is Method.qat:
            inputs = data.calibration_inputs(quantization.calibration_images)
            estimate_batchnorm(self.module, inputs)
            quantize_after_training(self.module, inputs, quantization)
        self.module.to(memory_format=torch.channels_last)
        self.data = data
        self.augment = BatchAugmentation(AUGMENTATION)
        self.generator = torch.Generator().manual_seed(1)
        steps = epochs * (len(data.train) // BATCH)
        self.optimizer = build_optimizer(settings.recipe, self.module.parameters())
        self.schedule, _ = build_schedule(settings.recipe, self.optimizer, steps, epochs)
        self.bfloat16 = training_precision(settings.trainer, settings.device) is Precision.bfloat16

    def epoch(self) -> None:
        """Train on all images, then validate, in float32 as maxexp does."""
        train, validation = self.data.train, self.data.validation
        self.module.train()
        order = torch.randperm(len(train), generator=self.generator)
        for chosen in order.split(BATCH)[: len(train) // BATCH]:
            inputs = self.augment(train.images[chosen], self.generator)
            with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
                loss = F.cross_entropy(self.module(inputs).float(), train.labels[chosen])
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
        self.module.eval()
        with torch.no_grad():
            for images, labels in zip(validation.images.split(500), validation.labels.split(500), strict=True):
                F.cross_entropy(self.module(evaluation_input(images, self.data.mapping)), labels)


def main() -> None:
    phase, images, epochs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    settings = training_settings(PHASES[phase], epochs)
    data = run_data(cifar10(images, 500))
    bare = BareLoop(settings, data, epochs)
    loops: dict[str, dict[str, list[float]]] = {name: {"step_s": [], "epoch_s": []} for name in LOOPS}
    ends: list[float] = []
    began = time.perf_counter()

    def close(name: str) -> None:
        nonlocal began
        now = time.perf_counter()
        loops[name]["step_s"] += [later - earlier for earlier, later in pairwise(ends)]
        loops[name]["epoch_s"].append(now - began)
        ends.clear()
        began = time.perf_counter()

    def by_turns() -> None:
        close("maxexp")
        bare.epoch()
        close("bare")

    register_optimizer_step_post_hook(lambda *_: ends.append(time.perf_counter()))
    with tempfile.TemporaryDirectory() as folder:
        train_recorded(nascifarnet(), data, settings, Path(folder), by_turns)
    steps = images // BATCH - 1
    later = {name: {"step_s": row["step_s"][steps:], "epoch_s": row["epoch_s"][1:]} for name, row in loops.items()}
    print(json.dumps(later))


if __name__ == "__main__":
    main()
