"""Integer evaluation in images per second: maxexp against the maker's 8-bit simulation, on the same images.

    python evaluation.py maxexp|ai8x IMAGES FILE

evaluates the maker's NASCifarNet (its ``-q`` checkpoint, its input mapping) on CIFAR-10's test images, writes the
predicted classes to FILE and prints the seconds of two passes.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from matplotlib.axes import Axes
from turns import Size, between, call, say, spread

TITLE = "Integer evaluation"
LABELS = {"ai8x": "ai8x-training, 8-bit simulation", "maxexp": "maxexp, integers"}
CHECKPOINT = "ai8x/ai85-cifar10-qat8-q.pth.tar"
BATCH = 256  # the default of ai8x-training
PASSES = 2


def measure(size: Size) -> dict | None:
    """Images per second of both, and in how many predictions they agree; None without AI8X_TRAINING."""
    if not os.environ.get("AI8X_TRAINING"):
        say("integer evaluation: left out, for AI8X_TRAINING names no checkout")
        return None
    rates: dict[str, list[float]] = {name: [] for name in LABELS}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(size.rounds):
            for name in LABELS:
                seconds = call("evaluation.py", name, size.test_images, f"{folder}/{name}.pt")
                rates[name] += [size.test_images / s for s in seconds]
                say(f"integer evaluation, round {number + 1}, {LABELS[name]}: {rates[name][-1]:.0f} images/s")
        ours, theirs = (torch.load(f"{folder}/{name}.pt") for name in ("maxexp", "ai8x"))
    result: dict = {name: {"images_per_s": spread(values)} for name, values in rates.items()}
    ratio = result["maxexp"]["images_per_s"]["median"] / result["ai8x"]["images_per_s"]["median"]
    same = int((ours["predictions"] == theirs["predictions"]).sum())
    return result | {
        "maxexp_is_faster_by": ratio,
        "images": size.test_images,
        "same_class": same,
        "correct": int((ours["predictions"] == ours["labels"]).sum()),
    }


def markdown(result: dict) -> str:
    """Speed of both and their agreement."""
    rows = [f"| {label} | {between(result[name]['images_per_s'])} |" for name, label in LABELS.items()]
    return "\n".join(
        [
            "| | images/s |",
            "|--|--:|",
            *rows,
            "",
            f"maxexp is {result['maxexp_is_faster_by']:.1f} times as fast. Both predict the same class for "
            f"{result['same_class']} of {result['images']} images, {result['correct']} of them correctly.",
        ]
    )


def draw(axes: Axes, result: dict) -> None:
    """Images per second of both."""
    for place, (name, color) in enumerate({"ai8x": "#ee6677", "maxexp": "#4477aa"}.items()):
        rate = result[name]["images_per_s"]
        ends = [[rate["median"] - rate["least"]], [rate["most"] - rate["median"]]]
        axes.bar(place, rate["median"], 0.6, yerr=ends, color=color, capsize=3)
        axes.annotate(f"{rate['median']:.0f}", (place, rate["most"]), (0, 3), ha="center",
                      textcoords="offset points", fontsize=9)  # fmt: skip
    axes.set_xticks(range(2), ["ai8x-training\n8-bit simulation", "maxexp\nintegers"])
    axes.set_ylabel("images per second")
    axes.margins(y=0.15)


def checkpoint() -> Path:
    """The maker's quantized network, beside the data."""
    return Path(os.environ.get("MAXEXP_DATA", "data")) / CHECKPOINT


def with_maxexp() -> Callable:
    """Evaluation as the pipeline does it."""
    from workload import nascifarnet

    from maxexp.base import this_process
    from maxexp.data.augmentation.config import InputMapping
    from maxexp.quantization.files.checkpoint import read_checkpoint, to_integer_network
    from maxexp.tasks.classification import Classification
    from maxexp.training.config import TrainerConfig
    from maxexp.training.evaluation import evaluate_integer
    from maxexp.training.hardware import set_threads

    this_process.prepare()
    set_threads(TrainerConfig())
    network = to_integer_network(read_checkpoint(checkpoint()), nascifarnet())
    return lambda images: evaluate_integer(network, Classification(), images, InputMapping.ai8x).decisions


def with_ai8x() -> Callable:
    """The maker's layers in 8-bit mode, without its loader: the images are mapped in memory, as for maxexp."""
    folder = Path(os.environ["AI8X_TRAINING"])
    sys.path[:0] = [str(folder), str(folder / "models")]
    import importlib

    import ai8x

    from maxexp.data.augmentation.pixels import map_pixels
    from maxexp.data.config import InputMapping
    from maxexp.quantization.files.checkpoint import read_checkpoint
    from maxexp.tasks.classification import first_maximum

    ai8x.set_device(85, simulate=True, round_avg=False, verbose=False)
    model = importlib.import_module("ai85net-nas-cifar").ai85nascifarnet(bias=True)
    ai8x.fuse_bn_layers(model)
    model.load_state_dict(read_checkpoint(checkpoint()).state)
    ai8x.update_model(model)
    model.eval()

    @torch.no_grad()
    def predict(images) -> torch.Tensor:
        batches = map_pixels(images.images, InputMapping.ai8x).split(BATCH)
        return torch.cat([first_maximum(model(batch.float())) for batch in batches])

    return predict


def main() -> None:
    import numpy as np
    from workload import cifar10

    from maxexp.data.dataset import load_split

    name, count, file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    predict = {"maxexp": with_maxexp, "ai8x": with_ai8x}[name]()
    images = load_split(cifar10(), "test").subset(np.arange(count))
    predict(images.subset(np.arange(min(count, BATCH))))  # what is done once is not counted
    seconds = []
    for _ in range(PASSES):
        start = time.perf_counter()
        predictions = predict(images)
        seconds.append(time.perf_counter() - start)
    torch.save({"predictions": predictions, "labels": images.labels}, file)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
