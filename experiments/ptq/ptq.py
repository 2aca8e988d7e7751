"""What each step of post-training quantization gains, on validation images.

    python experiments/ptq/ptq.py nascifarnet=FLOAT_CHECKPOINT cmsisnnet=FLOAT_CHECKPOINT

Quantizes CIFAR-10 networks with 8, 4 and 2 bits, adding one step after the other.
Writes results.json and the table of README.md (standard output). Needs CIFAR-10 (data/ or MAXEXP_DATA). The test
split is not read.
"""

import copy
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from torch import Tensor

from maxexp.__main__ import conf_dir
from maxexp.config import to_config
from maxexp.data.module import ImageDataModule
from maxexp.data.pixels import evaluation_input, map_pixels
from maxexp.network.graph import build_network
from maxexp.network.module import NetworkModule
from maxexp.quantization.checkpoint import read_checkpoint, to_module
from maxexp.quantization.export import to_integer
from maxexp.quantization.fold import fold_batchnorm
from maxexp.quantization.ptq import quantize_after_training
from maxexp.tracking.provenance import provenance
from maxexp.training.evaluation import first_maximum

FOLDER = Path(__file__).resolve().parent
BITS = (8, 4, 2)
STEPS = ("equalize", "search_scales", "correct_biases")
VARIANTS = {
    "calibration only": (),
    "+ equalization": STEPS[:1],
    "+ scale search": STEPS[:2],
    "+ bias correction (all)": STEPS,
    "all without equalization": STEPS[1:],
}


def logits(module: NetworkModule, inputs: Tensor) -> Tensor:
    """(N, classes) in batches."""
    with torch.no_grad():
        return torch.cat([module(batch) for batch in inputs.split(250)])


def share_correct(outputs: Tensor, labels: Tensor) -> float:
    """Accuracy, as the firmware takes the first of equal outputs."""
    return float((first_maximum(outputs) == labels).double().mean())


def measure(name: str, path: str) -> dict:
    """All variants of one network."""
    with initialize_config_dir(conf_dir(), version_base="1.3"):
        overrides = [f"model={name}", "dataset=cifar10", "augmentation=basic", "quantization=ptq"]
        config = to_config(compose("config", overrides=overrides))
    data = ImageDataModule(config.dataset, config.augmentation, config.trainer.batch_size, config.seed)
    network = build_network(config.model, config.dataset.shape)
    trained = to_module(read_checkpoint(path), network).eval()
    fold_batchnorm(trained)
    calibration = data.calibration_inputs(config.quantization.calibration_images)
    pixels, labels = map_pixels(data.validation.images, data.mapping), data.validation.labels
    exact = logits(trained, evaluation_input(data.validation.images, data.mapping))
    rows = []
    for bits in BITS:
        for variant, steps in VARIANTS.items():
            settings = replace(config.quantization, weight_bits=bits, **{step: step in steps for step in STEPS})
            module = copy.deepcopy(trained)
            quantize_after_training(module, calibration, settings)
            integer = to_integer(module)
            outputs = integer.predict(pixels) * 2.0 ** (integer.layers[-1].shift - 14)  # raw accumulators
            pair = F.log_softmax(outputs, 1), F.log_softmax(exact, 1)
            rows.append(
                {
                    "bits": bits,
                    "variant": variant,
                    "divergence": float(F.kl_div(*pair, log_target=True, reduction="batchmean")),
                    "loss": float(F.cross_entropy(outputs, labels)),
                    "accuracy": share_correct(outputs, labels),
                }
            )
            print(name, rows[-1], file=sys.stderr, flush=True)
    unharmed = {"loss": float(F.cross_entropy(exact, labels)), "accuracy": share_correct(exact, labels)}
    return {"float": unharmed, "rows": rows}


def table(results: dict) -> str:
    """One row for each variant; integer validation accuracy and divergence from the floating-point network."""
    lines = [
        "| network | steps | " + " | ".join(f"{bits} bits" for bits in BITS) + " |",
        "|--|--|" + "--:|" * len(BITS),
    ]
    for name, result in results.items():
        exact = f"{100 * result['float']['accuracy']:.2f} %"
        lines.append(f"| {name} | floating point | " + " | ".join([exact] * len(BITS)) + " |")
        for variant in VARIANTS:
            found = [row for row in result["rows"] if row["variant"] == variant]
            cells = [f"{100 * row['accuracy']:.2f} % ({row['divergence']:.4f})" for row in found]
            lines.append(f"| {name} | {variant} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    pairs = dict(argument.split("=", 1) for argument in sys.argv[1:])
    results = {name: measure(name, path) for name, path in pairs.items()}
    origin = provenance(FOLDER)
    (FOLDER / "results.json").write_text(json.dumps({"provenance": origin, "results": results}, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
