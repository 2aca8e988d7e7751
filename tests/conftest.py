"""What several rooms' tests share: real data, networks from conf/, made-up networks."""

import os
import random
import signal
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from omegaconf import OmegaConf

from maxexp.base import this_process
from maxexp.board.compilers import COMPILERS
from maxexp.chip.config import find_part
from maxexp.chip.part import Part
from maxexp.network.config import NetworkConfig
from maxexp.network.graph import Network, Shape, build_network
from maxexp.run.composition import compose_config
from maxexp.schema.config import Config

this_process.prepare()  # as the commands do
pytest_plugins = ["tests.runs", "tests.stores"]

# Several processes with several threads each disturb one another far more than they gain.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# On a busy machine an example may take any time, and is not wrong for that.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")
# A shell lets what it starts in the background ignore Ctrl-C, and so would all commands that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED_DATA = Path(os.environ.get("MAXEXP_DATA", Path(__file__).resolve().parents[1].parent / "shared" / "data"))


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder with the real CIFAR sets."""
    if not any((SHARED_DATA / "cifar10").glob("train-*.parquet")):
        pytest.skip(f"no CIFAR-10 in {SHARED_DATA}: set MAXEXP_DATA to a folder that has it")
    return SHARED_DATA


@pytest.fixture(scope="session")
def ai8x() -> Path:
    """The folder with the maker's checkpoints and what its tools say of them."""
    folder = SHARED_DATA / "ai8x"
    if not folder.is_dir():
        pytest.skip(f"no {folder}: set MAXEXP_DATA to a folder that has ai8x/")
    return folder


@pytest.fixture(scope="session")
def compiler() -> None:
    """For tests that build firmware."""
    if not any(compiler.found() for compiler in COMPILERS.values()):
        pytest.skip(" or ".join(compiler.fix for compiler in COMPILERS.values()))


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The checkout of ai8x-synthesis that AI8X_SYNTHESIS names."""
    from maxexp.synthesis.ai8x import CHECKOUT_VARIABLE  # here, for it imports torch, and some tests must do without

    path = os.environ.get(CHECKOUT_VARIABLE)
    if not path:
        pytest.skip(f"set {CHECKOUT_VARIABLE} to a checkout of ai8x-synthesis")
    return Path(path)


@cache
def _composed_once(overrides: tuple[str, ...]) -> Config:
    return compose_config(overrides)


def composed(*overrides: str) -> Config:
    """The configuration of a command line, for the caller alone; Hydra takes a third of a second for each."""
    return deepcopy(_composed_once(overrides))


@pytest.fixture(scope="session", name="compose_config")
def _compose_config() -> Callable[..., Config]:
    """``compose_config("model=simplenet", ...)``: a configuration as the command line composes it."""
    return composed


@pytest.fixture(scope="session")
def model(compose_config) -> Callable[..., Network]:
    """``model("simplenet", classes=100)``: a network of conf/model for 32x32 colour images."""

    def model(name: str, *overrides: str, classes: int = 10) -> Network:
        config = compose_config(f"model={name}", f"dataset=cifar{classes}", *overrides)
        return build_network(config.model, config.dataset.shape)

    return model


KEYWORDS, VIBRATION = (128, 128, 1), (256, 3, 1)
"""Inputs of the maker's networks for signals: a folded second of speech, spectra of three axes."""


@pytest.fixture(scope="session")
def signal_model(compose_config) -> Callable[..., Network]:
    """``signal_model("kws20_v3")``: a network of conf/model for the signals that the maker made it for."""

    def signal_model(name: str, *overrides: str) -> Network:
        keywords = name != "autoencoder"
        given = ["model.layers.fc.out_features=21"] if keywords else []
        config = compose_config(f"model={name}", *given, *overrides)
        return build_network(config.model, KEYWORDS if keywords else VIBRATION)

    return signal_model


@pytest.fixture(scope="session")
def make_network() -> Callable[..., Network]:
    """``make_network({"conv1": {"out_channels": 4}, ...}, (3, 32, 32))``: a network from plain values."""

    def make_network(layers: dict[str, dict], in_shape: Shape = (3, 32, 32), width: float = 1.0) -> Network:
        plain = {"name": "net", "width": width, "layers": layers}
        config = OmegaConf.to_object(OmegaConf.merge(OmegaConf.structured(NetworkConfig), plain))
        return build_network(config, in_shape)

    return make_network


@pytest.fixture(scope="session")
def random_network(make_network) -> Callable[..., Network]:
    """``random_network(seed)``: all the grammar has: images and signals, sums, passthrough and both poolings."""

    def random_network(seed: int, max_channels: int = 12, max_size: int = 12, max_layers: int = 6) -> Network:
        draw = random.Random(seed)
        channels = draw.randint(1, min(4, max_channels))
        if draw.random() < 0.3:
            shape = (draw.randint(1, max_channels), draw.randint(9, 4 * max_size), 1)
        else:
            shape = (channels, draw.randint(5, max_size), draw.randint(5, max_size))
        layers: dict[str, dict] = {}
        for index in range(draw.randint(1, max_layers)):
            known = make_network(layers, shape) if layers else None
            entry = _random_layer(draw, known, shape, max_channels)
            layers[f"layer{index}"] = entry
        layers["last"] = _random_end(draw, make_network(layers, shape), shape)
        return make_network(layers, shape)

    return random_network


def _random_layer(draw: random.Random, known: Network | None, in_shape: Shape, max_channels: int) -> dict:
    """An entry whose input is the layer before, or its sum with an earlier tensor of the same shape."""
    previous = known.layers[-1].out_shape if known else in_shape
    reshape = _random_reshape(draw, previous) if known else {}
    rows, cols = reshape.get("in_size", previous[1:])
    convolution = "conv1d" if cols == 1 else "conv2d"
    entry: dict = {"op": draw.choice([convolution, convolution, "passthrough"]) if known else convolution, **reshape}
    entry |= _random_sum(draw, known, in_shape) if known and not reshape else {}
    size = rows if convolution == "conv1d" else min(rows, cols)
    if size >= 4 and draw.random() < 0.4:
        entry |= {"pool": draw.choice(["max", "avg"]), "pool_size": draw.choice([2, 3])}
        entry["pool_stride"] = draw.choice([None, 1, 2, 3])
        size = (size - entry["pool_size"]) // (entry["pool_stride"] or entry["pool_size"]) + 1
        if convolution == "conv2d" and entry["pool_stride"] and draw.random() < 0.3:
            entry["pool_size"] = [entry["pool_size"], draw.choice([1, 2])]
    if entry["op"] != "passthrough":
        channels = draw.choice([previous[0], draw.randint(1, max_channels)])
        kernel = _random_signal_kernel(draw, size) if convolution == "conv1d" else _random_kernel(draw, size)
        entry |= {"out_channels": channels, **kernel}
        entry |= {"activation": draw.choice(["relu", "abs", "none"]), "bias": draw.random() < 0.7}
    return entry


def _random_reshape(draw: random.Random, shape: Shape) -> dict:
    """At times, from map to signal or to a map of other sides."""
    pixels = shape[1] * shape[2]
    if draw.random() > 0.15:
        return {}
    rows = draw.choice([n for n in range(1, pixels + 1) if pixels % n == 0])
    return {"in_size": [rows, pixels // rows]}


def _random_kernel(draw: random.Random, size: int) -> dict:
    """Of images, as the chip has them."""
    kernel = draw.choice([1, 3]) if size >= 3 else 1
    return {"kernel_size": kernel, "padding": draw.randrange(kernel)}


def _random_signal_kernel(draw: random.Random, size: int) -> dict:
    """Of signals, as the chip has them: up to 9 samples from end to end."""
    kernel = draw.randint(1, min(9, size))
    dilation = draw.randint(1, min(8, size - 1) // (kernel - 1)) if kernel > 1 and draw.random() < 0.3 else 1
    return {"kernel_size": kernel, "dilation": dilation, "padding": draw.randrange(min(3, kernel))}


def _random_sum(draw: random.Random, known: Network, in_shape: Shape) -> dict:
    """Mostly, where shapes allow it: the last layer's output plus one to three earlier tensors."""
    previous = known.layers[-1].out_shape
    same = [layer.name for layer in known.layers[:-1] if layer.out_shape == previous]
    same += ["input"] if in_shape == previous else []
    if not same or draw.random() > 0.6:
        return {}
    others = draw.sample(same, min(len(same), draw.choice([1, 1, 1, 2, 3])))
    inputs = [known.layers[-1].name, *others]
    draw.shuffle(inputs)
    return {"eltwise": "add", "inputs": inputs}


def _random_end(draw: random.Random, known: Network, in_shape: Shape) -> dict:
    wide = draw.random() < 0.6
    entry = {"wide": wide, "activation": "none" if wide else draw.choice(["relu", "abs", "none"])}
    entry["bias"] = draw.random() < 0.7
    entry |= _random_sum(draw, known, in_shape)
    if draw.random() < 0.5:
        return entry | {"op": "linear", "out_features": draw.randint(1, 10)}
    convolution = "conv1d" if known.layers[-1].out_shape[2] == 1 else "conv2d"
    return entry | {"op": convolution, "out_channels": draw.randint(1, 10), "kernel_size": 1}


@pytest.fixture(scope="session")
def max78000() -> Part:
    return find_part("max78000")


@pytest.fixture(scope="session")
def max78002() -> Part:
    return find_part("max78002")
