"""What the maker's synthesizer generates, on the emulated board: its known answer is the independent oracle."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from maxexp.base.errors import BoardError
from maxexp.board.emulator.run import EmulatedLine, run_emulated
from maxexp.board.firmware import build_firmware
from maxexp.board.inference import InferenceClient
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.quantization.files.checkpoint import read_checkpoint, to_integer_network
from tests.board.generated import conv, copy, linear, mask

pytestmark = [pytest.mark.ai8x, pytest.mark.slow]

ALL = mask(64)

Network = tuple[tuple[int, ...], list[dict[str, Any]], tuple[str, ...]]


def network(shape: tuple[int, ...], *layers: dict[str, Any], options: tuple[str, ...] = ()) -> Network:
    return shape, list(layers), options


def tail(inputs: int, pixels: int, first: int = 0, offset: int = 0x6000, **keys: Any) -> dict[str, Any]:
    """Ten 32-bit outputs from a flattened map."""
    count = inputs if inputs <= 64 else 64
    return linear(inputs * pixels, 10, processors=mask(count, first), out_offset=offset, **keys)


def operands(function: str, **keys: Any) -> list[dict[str, Any]]:
    """The input and its convolution, interleaved, then a layer that combines both."""
    eight = {"processors": mask(8), "output_processors": mask(8)}
    return [
        copy(**eight, out_offset=0x1000, write_gap=1, name="left"),
        conv(8, 8, **eight, in_sequences="input", in_offset=0, out_offset=0x1004, write_gap=1, name="right"),
        {"in_sequences": ["left", "right"], "in_offset": 0x1000, "out_offset": 0x4000, **eight, **keys}
        | ({"operation": function} if "operation" not in keys else {"eltwise": function}),
    ]


def two_operands(function: str, **keys: Any) -> Network:
    size = 8 // keys.get("pool_stride", 1)
    return network((8, 8, 8), *operands(function, **keys), tail(8, size * size))


def combined_conv(function: str, **keys: Any) -> Network:
    return two_operands(function, **(conv(8, 8, bias=False) | keys))


NETWORKS: dict[str, Network] = {
    "3x3": network((3, 12, 10), conv(3, 8, processors=0x7, out_offset=0x2000), tail(8, 120)),
    "pads": network(
        (3, 8, 9),
        conv(3, 12, pad=2, processors=0x7, out_offset=0x2000),
        conv(12, 16, pad=0, activate="Abs", processors=mask(12), out_offset=0),
        conv(16, 5, 1, processors=mask(16), out_offset=0x2000, output_width=32, activate="None"),
    ),
    "pools": network(
        (4, 20, 18),
        conv(4, 8, max_pool=3, pool_stride=2, processors=mask(4), out_offset=0x2000, activate="None"),
        conv(8, 8, avg_pool=2, pool_stride=1, processors=mask(8), out_offset=0, activate="None"),
        conv(8, 8, pool_stride=2, processors=mask(8), out_offset=0x2000),
        conv(8, 8, max_pool=[2, 1], pool_stride=1, processors=mask(8), out_offset=0),
        tail(8, 12),
    ),
    "chw": network(
        (2, 10, 12),
        conv(2, 8, processors=0x11, out_offset=0x2000, data_format="CHW"),
        tail(8, 120),
    ),
    "input of many channels": network((70, 6, 6), conv(70, 20, processors=mask(36), out_offset=0x2000), tail(20, 36)),
    "passes": network(
        (3, 8, 8),
        conv(3, 100, processors=0x7, out_offset=0x2000),
        conv(100, 132, 1, processors=mask(52), out_offset=0),
        conv(132, 20, max_pool=4, pool_stride=4, processors=mask(44, 4), out_offset=0x4000),
        linear(20 * 4, 130, processors=mask(20, 12), output_processors=mask(44), out_offset=0),
    ),
    "unaligned": network(
        (3, 8, 8),
        conv(3, 9, processors=0x7, out_offset=0x2000),
        conv(9, 7, processors=mask(9, 21), out_offset=0),
        conv(7, 10, 1, processors=mask(7, 2), out_offset=0x2000),
        linear(640, 3, processors=mask(10, 35), output_processors=mask(3, 4), out_offset=0),
    ),
    "bits": network(
        (3, 8, 8),
        conv(3, 16, bits=4, processors=0x7, out_offset=0x2000),
        conv(16, 24, bits=2, processors=mask(16), out_offset=0),
        conv(24, 72, bits=1, processors=mask(24), out_offset=0x2000),
        conv(72, 16, 1, bits=4, processors=mask(36), out_offset=0),
        conv(16, 16, 1, bits=1, max_pool=2, pool_stride=2, processors=mask(16), out_offset=0x2000),
        linear(256, 10, bits=2, processors=mask(16), out_offset=0),
    ),
    "bits, odd channels": network(
        (3, 8, 8),
        conv(3, 11, bits=4, processors=0x7, out_offset=0x2000),
        conv(11, 13, bits=2, processors=mask(11), out_offset=0),
        conv(13, 19, bits=1, processors=mask(13), out_offset=0x2000),
        conv(19, 9, 1, bits=4, processors=mask(19), out_offset=0),
        linear(576, 7, bits=4, processors=mask(9), out_offset=0x4000),
    ),
    "bits, flatten": network(
        (5, 3, 3),
        conv(5, 6, processors=mask(5), out_offset=0x2000),
        linear(54, 70, bits=1, output_width=8, activate="ReLU", processors=mask(6), out_offset=0),
        linear(70, 10, bits=4, flatten=False, processors=mask(36), out_offset=0x2000),
    ),
    "wide, 8 bits": network(
        (3, 6, 6), conv(3, 10, processors=0x7, out_offset=0x2000, activate="None"), options=("--no-unload",)
    ),
    "wide map": network((3, 6, 6), conv(3, 10, processors=0x7, out_offset=0x2000, activate="None", output_width=32)),
    "wide passes": network(
        (3, 3, 3), conv(3, 100, processors=0x7, out_offset=0x2000, activate="None", output_width=32)
    ),
    "several outputs": network(
        (3, 8, 8),
        conv(3, 8, processors=0x7, out_offset=0x2000),
        conv(8, 12, processors=mask(8), output_processors=mask(12), out_offset=0x4000, output=True),
        conv(8, 16, in_sequences=0, in_offset=0x2000, processors=mask(8), out_offset=0x6000, output=True),
    ),
    "concatenation": network(
        (3, 8, 8),
        conv(3, 8, processors=0x7, output_processors=mask(8), out_offset=0x2000, name="a"),
        conv(
            3, 8, in_sequences="input", in_offset=0, processors=0x7, output_processors=mask(8, 8), out_offset=0x2000
        ),
        conv(16, 8, in_sequences=[0, 1], in_offset=0x2000, processors=mask(16), out_offset=0x4000),
        tail(8, 64),
    ),
    "passthrough": network(
        (20, 8, 8),
        copy(processors=mask(20), output_processors=mask(20), max_pool=2, pool_stride=2, out_offset=0x2000),
        conv(20, 40, processors=mask(20), out_offset=0),
        copy(processors=mask(40), output_processors=mask(40), avg_pool=2, pool_stride=2, out_offset=0x2000),
        tail(40, 4),
    ),
    "passthrough of passes": network(
        (3, 8, 8),
        conv(3, 100, processors=0x7, out_offset=0x2000),
        copy(processors=mask(52), output_processors=mask(52), out_offset=0),
        conv(100, 10, 1, max_pool=8, pool_stride=8, processors=mask(52), out_offset=0x4000),
    ),
    "add": two_operands("add"),
    "sub": two_operands("sub"),
    "or": two_operands("or"),
    "xor": two_operands("xor"),
    "add, pooled first": two_operands("add", max_pool=2, pool_stride=2),
    "add, pooled last": two_operands("add", max_pool=2, pool_stride=2, pool_first=False),
    "add and convolve": combined_conv("add"),
    "sub, pooled, convolve": combined_conv("sub", avg_pool=2, pool_stride=2),
    "add, pooled last, convolve": combined_conv("add", avg_pool=2, pool_stride=2, pool_first=False),
    "xor, pooled last, convolve": combined_conv("xor", max_pool=2, pool_stride=2, pool_first=False),
    "add of passes": network(
        (3, 6, 6),
        conv(3, 80, processors=0x7, output_processors=mask(40), out_offset=0x3000),
        copy(processors=mask(40), output_processors=mask(40), out_offset=0x1000, write_gap=1),
        conv(
            80,
            80,
            1,
            in_sequences=0,
            in_offset=0x3000,
            processors=mask(40),
            output_processors=mask(40),
            out_offset=0x1004,
            write_gap=1,
        ),
        {
            "in_sequences": [1, 2],
            "in_offset": 0x1000,
            "operation": "add",
            "processors": mask(40),
            "output_processors": mask(40),
            "out_offset": 0x4000,
        },
        conv(80, 10, 1, processors=mask(40), out_offset=0, output_width=32, activate="None"),
    ),
    "add of three": network(
        (4, 6, 6),
        copy(processors=mask(4), output_processors=mask(4), out_offset=0x1000, write_gap=2),
        conv(
            4,
            4,
            in_sequences="input",
            in_offset=0,
            processors=mask(4),
            output_processors=mask(4),
            out_offset=0x1004,
            write_gap=2,
        ),
        conv(
            4,
            4,
            1,
            in_sequences="input",
            in_offset=0,
            processors=mask(4),
            output_processors=mask(4),
            out_offset=0x1008,
            write_gap=2,
        ),
        {
            "in_sequences": [0, 1, 2],
            "operands": 3,
            "in_offset": 0x1000,
            "operation": "add",
            "processors": mask(4),
            "output_processors": mask(4),
            "out_offset": 0x4000,
        },
        tail(4, 36),
    ),
    "one dimension": network(
        (6, 40),
        conv(6, 12, 5, 1, pad=2, processors=mask(6), out_offset=0x2000),
        conv(12, 20, 9, 1, pad=0, max_pool=2, pool_stride=2, bits=4, processors=mask(12), out_offset=0),
        conv(20, 72, 1, 1, pad=0, processors=mask(20), out_offset=0x2000),
        conv(72, 8, 2, 1, pad=1, avg_pool=3, pool_stride=1, bits=2, processors=mask(36), out_offset=0),
        tail(8, 11),
    ),
    "plain weight writes": network(
        (3, 8, 8), conv(3, 8, bits=4, processors=0x7, out_offset=0x2000), tail(8, 64), options=("--no-mexpress",)
    ),
    "weights read back": network(
        (3, 8, 8), conv(3, 8, processors=0x7, out_offset=0x2000), tail(8, 64), options=("--verify-kernels",)
    ),
    "booster": network(
        (3, 8, 8), conv(3, 8, processors=0x7, out_offset=0x2000), tail(8, 64), options=("--boost", "2.5", "--softmax")
    ),
    "endless loop": network(
        (3, 8, 8), conv(3, 8, processors=0x7, out_offset=0x2000), tail(8, 64), options=("--forever",)
    ),
    "busy waiting": network(
        (3, 8, 8), conv(3, 8, processors=0x7, out_offset=0x2000), tail(8, 64), options=("--no-wfi",)
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_known_answer_and_cycles(name: str, synthesizer, tmp_path) -> None:
    shape, layers, options = NETWORKS[name]
    generated = synthesizer.generate(tmp_path, shape, layers, *options)
    run = run_emulated(build_firmware(generated.project, tmp_path / "build", MAX78000).image, MAX78000)
    assert run.result.passed, run.result.text
    assert run.layer_cycles == generated.layer_cycles
    assert run.result.inference_us == run.cycles // 50


def layers_with(changes: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Four layers one after another; ``changes`` of their keys, by layer."""
    right = [
        conv(3, 8, processors=0x7, out_offset=0x2000),
        conv(8, 8, processors=mask(8), out_offset=0x4000),
        conv(8, 8, processors=mask(8), out_offset=0x5000),
        tail(8, 64),
    ]
    return [layer | changes.get(index, {}) for index, layer in enumerate(right)]


FAULTS_IN_YAML: dict[str, dict[int, dict[str, Any]]] = {
    "input offset": {1: {"in_offset": 0x1000}},
    "output offset": {1: {"out_offset": 0x4100}, 2: {"in_offset": 0x4000}},
    "input processors": {0: {"output_processors": mask(8)}, 1: {"processors": mask(8, 8)}},
    "output processors": {0: {"output_processors": mask(8, 4)}},
    "overwritten input": {2: {"out_offset": 0x2000}, 3: {"in_sequences": 0, "in_offset": 0x2000, "in_channels": 512}},
}


@pytest.mark.parametrize("name", FAULTS_IN_YAML)
def test_faults_in_yaml_that_the_synthesizer_accepts(name: str, synthesizer, tmp_path) -> None:
    """Its known answer comes from arrays that know nothing of memories, so it is that of the right network."""
    generated = synthesizer.generate(tmp_path, (3, 8, 8), layers_with(FAULTS_IN_YAML[name]))
    run = run_emulated(build_firmware(generated.project, tmp_path / "build", MAX78000).image, MAX78000)
    assert run.result.passed is False
    assert run.result.mismatches


FAULTS_IN_MEMORY = {
    "kernel": ("weights.h", r"(KERNELS \{ \\\s+0x\w{8}, 0x\w{8}, 0x)\w", r"\g<1>8"),
    "bias": ("weights.h", r"(BIAS_0 \{ \\\s+0x)\w", r"\g<1>8"),
    "input": ("sampledata.h", r"(SAMPLE_INPUT_0 \{ \\\s+0x\w{6})\w", r"\g<1>8"),
    "input address": ("main.c", r"0x50400000, input_0", "0x50400010, input_0"),
    "read offset": ("cnn.c", r"0x\w{8}; \/\/ SRAM read ptr", "0x00000804;"),
    "write offset": ("cnn.c", r"0x\w{8}; \/\/ SRAM write ptr", "0x00000804;"),
    "processors": ("cnn.c", r"0x\w{8}; \/\/ Mask and processor enables", "0x00030003;"),
    "kernel column": ("cnn.c", r"0x(\w{4})(\w{4}); \/\/ Mask offset and count", "0x00200058;"),
}
"""A file of the generated project, what is in it, and what is put there."""


@pytest.fixture(scope="module")
def generated(synthesizer, tmp_path_factory) -> Path:
    """A project without faults."""
    return synthesizer.generate(tmp_path_factory.mktemp("right"), (3, 8, 8), layers_with({})).project


@pytest.mark.parametrize("name", FAULTS_IN_MEMORY)
def test_faults_in_memory(name: str, generated, tmp_path) -> None:
    """In what the firmware loads into memories and registers; some leave registers that contradict each other."""
    file, pattern, replacement = FAULTS_IN_MEMORY[name]
    project = Path(shutil.copytree(generated, tmp_path / "project"))
    text = (project / file).read_text()
    changed = re.sub(pattern, replacement, text, count=1)
    assert changed != text
    (project / file).write_text(changed)
    assert run_emulated(build_firmware(generated, tmp_path / "right", MAX78000).image, MAX78000).result.passed
    try:
        assert (
            run_emulated(build_firmware(project, tmp_path / "build", MAX78000).image, MAX78000).result.passed is False
        )
    except BoardError as error:
        assert "no known meaning" in str(error)


def test_the_makers_trained_network(synthesizer, ai8x, tmp_path) -> None:
    golden = json.loads((ai8x / "cifar10-nas.golden.json").read_text())
    checkpoint, sample = ai8x / "ai85-cifar10-qat8-q.pth.tar", ai8x / "sample_cifar-10.npy"
    config = synthesizer.checkout / "networks" / "cifar10-nas.yaml"
    generated = synthesizer.run(tmp_path, checkpoint, config, sample, "--softmax")
    run = run_emulated(build_firmware(generated.project, tmp_path / "build", MAX78000).image, MAX78000)
    assert run.result.passed
    assert run.result.logits == dict(enumerate(golden["logits_int32"]))
    assert run.layer_cycles == generated.layer_cycles
    assert run.cycles == golden["latency_cycles"]["total"]


def test_images_over_the_serial_line(synthesizer, ai8x, model, tmp_path) -> None:
    """The maker's trained network, image for image as the integer network."""
    path = ai8x / "ai85-cifar10-qat8-q.pth.tar"
    integer = to_integer_network(read_checkpoint(path), model("nascifarnet"))
    config = synthesizer.checkout / "networks" / "cifar10-nas.yaml"
    generated = synthesizer.run(tmp_path, path, config, ai8x / "sample_cifar-10.npy", "--softmax")
    firmware = build_firmware(generated.project, tmp_path / "build", MAX78000, server=True)
    client = InferenceClient(EmulatedLine(firmware.image, MAX78000), MAX78000, wide=True)
    images = np.random.default_rng(3).integers(-128, 128, (20, 3, 32, 32), np.int8)
    for image, outputs in zip(images, integer(torch.from_numpy(images)).numpy(), strict=True):
        np.testing.assert_array_equal(client(image)[0], outputs)
