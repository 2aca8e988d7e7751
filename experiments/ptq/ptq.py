"""What each step of post-training quantization gains, on validation images.

    python experiments/ptq/ptq.py nascifarnet=FLOAT_CHECKPOINT --bits 8 4 2 --images 2000

Quantizes a CIFAR-10 network, adding one step after the other, and evaluates its integers on the validation images of
its training; the test split is not read. Adds the rows to results.json, replacing those of the same network, bits and
variant, and prints the table of README.md. Needs CIFAR-10 (data/ or MAXEXP_DATA).
"""

import argparse
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from maxexp.data.augmentation.pixels import evaluation_input, map_pixels
from maxexp.data.run_data import RunData
from maxexp.network.graph import build_network
from maxexp.quantization.files.checkpoint import read_checkpoint, to_module
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.quantization.methods.sensitivity import predict
from maxexp.run.composition import compose_config
from maxexp.tasks.classification import Classification, first_maximum

TASK = Classification()
FOLDER = Path(__file__).resolve().parent
STEPS = ("equalize", "search_scales", "correct_biases")
VARIANTS = {
    "calibration only": (),
    "+ equalization": STEPS[:1],
    "+ scale search": STEPS[:2],
    "+ bias correction (all)": STEPS,
}


def measure(name: str, path: str, bits: list[int], images: int) -> Iterator[dict]:
    """A row for the floating-point network (bits 0), then one for each number of bits and variant."""
    aside = f"dataset.validation_images={images}"
    config = compose_config([f"model={name}", "dataset=cifar10", "augmentation=basic", "quantization=ptq", aside])
    data = RunData(config.dataset, config.augmentation, config.trainer.batch_size, config.seed)
    trained = to_module(read_checkpoint(path), build_network(config.model, config.dataset.shape))
    calibration = data.calibration_inputs(config.quantization.calibration_images)
    pixels, labels = map_pixels(data.validation.images, data.mapping), data.validation.labels
    exact = predict(trained, evaluation_input(data.validation.images, data.mapping))

    def row(bits: int, variant: str, outputs: Tensor) -> dict:
        # The firmware takes the first of equal outputs.
        accuracy = float((first_maximum(outputs) == labels).double().mean())
        return {
            "network": name,
            "bits": bits,
            "variant": variant,
            "images": len(labels),
            "accuracy": accuracy,
            "loss": float(TASK.loss(outputs, labels)),
            "divergence": TASK.divergence(outputs, exact),
        }

    yield row(0, "floating point", exact)
    for width in bits:
        for variant, steps in VARIANTS.items():
            settings = replace(config.quantization, weight_bits=width, **{step: step in steps for step in STEPS})
            module = copy.deepcopy(trained)
            quantize_after_training(module, calibration, settings)
            integer = to_integer(module)
            yield row(width, variant, integer.in_units(integer.predict(pixels)))


def key(row: dict) -> tuple:
    return row["network"], row["bits"], row["variant"]


def table(rows: list[dict]) -> str:
    """One line for each network, number of bits and variant."""
    lines = ["| network | bits | steps | images | accuracy | divergence |", "|--|--:|--|--:|--:|--:|"]
    for row in rows:
        cells = f"{row['images']:,} | {100 * row['accuracy']:.2f} % | {1000 * row['divergence']:.2f}"
        lines.append(f"| {row['network']} | {row['bits'] or ''} | {row['variant']} | {cells} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What each step of post-training quantization gains.")
    parser.add_argument("checkpoint", help="NETWORK=PATH of a floating-point checkpoint")
    parser.add_argument("--bits", type=int, nargs="+", default=[8, 4, 2])
    parser.add_argument("--images", type=int, default=5000, help="validation images that the training set aside")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    name, path = arguments.checkpoint.split("=", 1)
    file = FOLDER / "results.json"
    known = {key(row): row for row in json.loads(file.read_text())} if file.exists() else {}
    for row in measure(name, path, arguments.bits, arguments.images):
        known[key(row)] = row
        file.write_text(json.dumps(list(known.values()), indent=2) + "\n")
        print(table([row]).splitlines()[-1], flush=True)
    print(table(list(known.values())))


if __name__ == "__main__":
    main()
