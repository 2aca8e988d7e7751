"""One contestant of the training benchmark in a process of its own.

    python contestants.py maxexp|plain|ai8x float|qat IMAGES EPOCHS

trains NASCifarNet on CIFAR-10 for EPOCHS epochs of IMAGES images, each with validation on a ninth as many, and prints
one JSON object: the seconds of every epoch but the first, and the peak memory.
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

from maxexp.data.config import (
    AugmentationConfig,
    DatasetConfig,
    DatasetSource,
    HorizontalFlipConfig,
    RandomCropConfig,
)
from maxexp.data.module import ImageDataModule

BATCH = 128
AUGMENTATION = AugmentationConfig(RandomCropConfig(4), HorizontalFlipConfig(0.5))


def images(count: int) -> ImageDataModule:
    """CIFAR-10 with ``count`` training images."""
    config = DatasetConfig("cifar10", DatasetSource.cifar10, 3, 32, 32, 10, count // 9, limit=count, download=False)
    return ImageDataModule(config, AUGMENTATION, BATCH, seed=1)


def train_maxexp(phase: str, count: int, epochs: int) -> list[float]:
    """The whole of maxexp, run record and checkpoints included."""
    from maxexp.network.config import NetworkConfig
    from maxexp.network.graph import build_network
    from maxexp.quantization.config import Method, QuantizationConfig
    from maxexp.tracking.config import TrackingConfig
    from maxexp.tracking.logger import RecordLogger
    from maxexp.tracking.record import RunRecord
    from maxexp.training.config import RecipeConfig, TrainerConfig
    from maxexp.training.hardware import prepare_process
    from maxexp.training.phases import RunFiles, Training, TrainingSettings

    trainer = TrainerConfig(max_epochs=epochs, batch_size=BATCH, accelerator="cpu", progress=False)
    prepare_process(trainer)
    quantization = QuantizationConfig(Method.qat if phase == "qat" else Method.float, start_epoch=0)
    settings = TrainingSettings(quantization, RecipeConfig(), trainer, 1, torch.device("cpu"))
    network = build_network(nascifarnet(NetworkConfig), (3, 32, 32))
    ends = []
    with tempfile.TemporaryDirectory() as folder:
        record = RunRecord.start(TrackingConfig(uri=f"sqlite:///{folder}/mlflow.db"), "bench")

        def keep(path: Path) -> None:
            record.log_artifact(path, "checkpoints")
            if path.suffix == ".ckpt":
                ends.append(time.perf_counter())

        files = RunFiles(Path(folder), keep, lambda offset: RecordLogger(record, folder, offset))
        with record:
            Training(network, images(count), settings, files).run()
    return ends


def nascifarnet(kind: type):
    """The description in conf/model."""
    from hydra import compose, initialize_config_dir

    from maxexp.__main__ import conf_dir
    from maxexp.config import to_config

    with initialize_config_dir(conf_dir(), version_base="1.3"):
        model = to_config(compose("config", overrides=["model=nascifarnet", "dataset=cifar10"])).model
    assert isinstance(model, kind)
    return model


class PilImages(Dataset):
    """Images as ai8x-training reads them: one PIL image after the other."""

    def __init__(self, part, augment: bool) -> None:
        from torchvision import transforms as T

        self.arrays = part.images.permute(0, 2, 3, 1).numpy()
        self.labels = part.labels
        moves = [T.RandomCrop(32, padding=4), T.RandomHorizontalFlip()] if augment else []
        self.transform = T.Compose([T.ToPILImage(), *moves, T.ToTensor(), self.normalize])

    @staticmethod
    def normalize(x: torch.Tensor) -> torch.Tensor:
        return x.sub(0.5).mul(256).round().clamp(-128, 127).div(128)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int):
        return self.transform(self.arrays[index]), self.labels[index]


def train_plainly(model: nn.Module, count: int, epochs: int) -> list[float]:
    """The usual loop with two loader workers."""
    data = images(count)
    training = DataLoader(PilImages(data.train, True), BATCH, shuffle=True, num_workers=2, drop_last=True)
    validation = DataLoader(PilImages(data.validation, False), BATCH, num_workers=2)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    ends = []
    for _ in range(epochs):
        model.train()
        for inputs, labels in training:
            loss = F.cross_entropy(model(inputs), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            sum(int((model(inputs).argmax(1) == labels).sum()) for inputs, labels in validation)
        ends.append(time.perf_counter())
    return ends


def train_plain(phase: str, count: int, epochs: int) -> list[float]:
    """The reference loop of this folder."""
    from plain import plain_nascifarnet

    model = plain_nascifarnet()
    if phase == "qat":
        for layer in model:
            layer.quantize()
    return train_plainly(model, count, epochs)


def train_ai8x(phase: str, count: int, epochs: int) -> list[float]:
    """The maker's own layers and network, from the checkout that AI8X_TRAINING names."""
    checkout = Path(os.environ["AI8X_TRAINING"])
    sys.path[:0] = [str(checkout), str(checkout / "models")]
    import importlib

    import ai8x

    ai8x.set_device(85, simulate=False, round_avg=False, verbose=False)
    model = importlib.import_module("ai85net-nas-cifar").ai85nascifarnet(bias=True)
    if phase == "qat":
        ai8x.fuse_bn_layers(model)
        ai8x.initiate_qat(model, {"weight_bits": 8, "shift_quantile": 0.995})
    return train_plainly(model, count, epochs)


def main() -> None:
    name, phase, count, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    train = {"maxexp": train_maxexp, "plain": train_plain, "ai8x": train_ai8x}[name]
    ends = train(phase, count, epochs)
    seconds = [later - earlier for earlier, later in zip(ends, ends[1:], strict=False)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(json.dumps({"seconds": seconds, "peak_mib": memory}))


if __name__ == "__main__":
    main()
