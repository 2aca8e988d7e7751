"""One contestant of the training benchmark in a process of its own.

    python contestants.py maxexp|plain|ai8x float|qat IMAGES EPOCHS

trains NASCifarNet on CIFAR-10 for EPOCHS epochs of IMAGES images, each with validation on a ninth as many, and prints
one JSON object: the seconds of every epoch but the first, the peak resident memory of this process and that of its
largest loader worker (0 without any; shared pages count in both).
"""

import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset
from workload import BATCH, PHASES, cifar10, nascifarnet, run_data, train_recorded, training_settings

from maxexp.data.dataset import ImageSet, load_split

WORKERS = resource.RUSAGE_CHILDREN  # that have ended: the largest of them


def train_maxexp(phase: str, count: int, epochs: int) -> list[float]:
    """The whole of maxexp, run record and checkpoints included."""
    ends: list[float] = []
    data = run_data(cifar10(count, count // 9))
    with tempfile.TemporaryDirectory() as folder:
        settings = training_settings(PHASES[phase], epochs)
        train_recorded(nascifarnet(), data, settings, Path(folder), lambda: ends.append(time.perf_counter()))
    return ends


class PilImages(Dataset):
    """Images as ai8x-training reads them: one PIL image after the other."""

    def __init__(self, part: ImageSet, augment: bool) -> None:
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
    whole = load_split(cifar10(), "train")
    chosen, aside = np.split(np.arange(count + count // 9), [count])
    training = DataLoader(PilImages(whole.subset(chosen), True), BATCH, True, num_workers=2, drop_last=True)
    validation = DataLoader(PilImages(whole.subset(aside), False), BATCH, num_workers=2)
    del whole
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
    own, workers = (resource.getrusage(who).ru_maxrss // 1024 for who in (resource.RUSAGE_SELF, WORKERS))
    print(json.dumps({"seconds": seconds, "peak_mib": own, "worker_mib": workers}))


if __name__ == "__main__":
    main()
