"""Projects that we write: built with both compilers, run on the emulated board."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from maxexp.base.errors import BoardError, ConfigError, SynthesisError
from maxexp.board.compilers import COMPILERS
from maxexp.board.config import CompilerName
from maxexp.board.emulator.contents import contents_after, contents_at_start
from maxexp.board.emulator.run import EmulatedLine, EmulatedRun, run_emulated
from maxexp.board.firmware import build_firmware
from maxexp.board.inference import InferenceClient
from maxexp.chip.config import DeviceConfig
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.synthesis.native import project as project_module
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.native.stores import stores
from maxexp.synthesis.native.synthesizer import synthesize
from maxexp.synthesis.stand_in import random_image, random_integers
from maxexp.synthesis.synthesis import Synthesis

DEVICE, OTHER_DEVICE = DeviceConfig("max78000", 50.0), DeviceConfig("max78002", 200.0)
NARROW_MAP = {"a": {"out_channels": 70}, "b": {"out_channels": 70, "activation": "none"}}
WIDE_MAP = {"a": {"out_channels": 5, "wide": True}}
FEW_BITS = {"a": {"out_channels": 12}, "fc": {"op": "linear", "out_features": 5, "wide": True}}


@pytest.fixture(params=COMPILERS)
def each_compiler(request) -> CompilerName:
    if not COMPILERS[request.param].found():
        pytest.skip(COMPILERS[request.param].fix)
    return request.param


def write(folder: Path, network, bits=None, seed=0, classes: list[str] | None = None) -> Synthesis:
    integer = random_integers(network, bits or {}, seed)
    return synthesize(integer, DEVICE, random_image(network.in_shape, seed), classes, folder)


def run(project: Path, compiler: CompilerName = CompilerName.auto) -> EmulatedRun:
    return run_emulated(
        build_firmware(project, project.parent / "build", MAX78000, compiler=compiler).image, MAX78000
    )


@pytest.mark.parametrize("name", ["nascifarnet", "residual", "autoencoder", "one number", "random 3", "random 4"])
def test_each_network_passes_in_the_cycles_of_the_model(case, each_compiler, tmp_path, name):
    network, bits, seed = case(name)
    synthesis = write(tmp_path, network, bits, seed)
    firmware = build_firmware(synthesis.project, tmp_path / "build", MAX78000, compiler=each_compiler)
    found = run_emulated(firmware.image, MAX78000)
    assert found.result.passed, found.result.text
    assert found.cycles == synthesis.cost.cycles
    assert f"CNN Inference Test {network.name} ***" in found.result.text
    # What the C files write is what the configuration says.
    expected = contents_after(stores(configuration(synthesis.cost.fit.memory, synthesis.integer.layers)), MAX78000)
    assert contents_at_start(firmware.image, MAX78000).differences(expected) == []


@pytest.mark.parametrize("bits", [8, 2])
def test_scores_are_printed_with_names_and_the_softmax_of_training(compiler, make_network, tmp_path, bits):
    names = ["cat", 'a "dog" */', "zoé", "[ 1] -> Class 0: 99.0%", "***"]
    synthesis = write(tmp_path, make_network(FEW_BITS, (3, 6, 6)), {"fc": bits}, 1, names)
    result = run(synthesis.project).result
    assert list(result.logits.values()) == synthesis.answer.tolist()
    exact = torch.softmax(synthesis.integer.in_units(torch.from_numpy(synthesis.answer)[None]), 1)[0] * 100
    assert list(result.percent.values()) == pytest.approx(exact.tolist(), abs=0.11)
    assert "% cat\n" in result.text and "% a _dog_ __\n" in result.text and "% zo_\n" in result.text


@pytest.mark.parametrize("layers", [NARROW_MAP, WIDE_MAP])
def test_outputs_of_any_form_are_unloaded(compiler, make_network, tmp_path, layers):
    """By the test's own program without classes, and by the inference server for other images."""
    network = make_network(layers, (3, 5, 4))
    synthesis = write(tmp_path, network)
    result = run(synthesis.project).result
    assert result.passed and not result.logits
    assert [int(x) for x in re.findall(r"^\[ *(-?\d+)\]$", result.text, re.M)] == synthesis.answer.ravel().tolist()
    image = build_firmware(synthesis.project, tmp_path / "server", MAX78000, server=True).image
    client = InferenceClient(EmulatedLine(image, MAX78000), MAX78000, network.layers[-1].wide)
    for seed in (1, 2):
        other = random_image(network.in_shape, seed)
        outputs, _ = client(other.numpy().astype(np.int8))
        assert outputs.tolist() == synthesis.integer(other[None])[0].tolist()


@pytest.fixture
def passing(case, compiler, tmp_path) -> Path:
    """The project of a network of four layers."""
    return write(tmp_path, *case("digitsnet")).project


FAULTS = {
    "kernel": ("weights.h", r"0x50180000, 0x0000004d, 0x(.)", lambda m: m[0][:-1] + format(int(m[1], 16) ^ 8, "x")),
    "bias": ("weights.h", r"(biases_\d\[\] = \{\n  0x)(..)", lambda m: f"{m[1]}{int(m[2], 16) ^ 64:02x}"),
    "shift": ("layers.h", r"(\{1, REG_POST_PROCESSING, 0x.*?, 0x000)(.)", lambda m: f"{m[1]}{int(m[2], 16) ^ 2:x}"),
    "read": ("layers.h", r"(\{1, REG_WRITE_INSTANCE_STEP)", lambda m: f"{{1, REG_READ_START, 0x7, 1}},\n  {m[1]}"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_in_registers_and_memories_fail(passing, fault):
    file, pattern, change = FAULTS[fault]
    text, count = re.subn(pattern, change, (passing / file).read_text(), count=1)
    assert count == 1
    (passing / file).write_text(text)
    try:
        assert run(passing).result.passed is False
    except BoardError as error:
        assert "no known meaning" in str(error)


def test_weights_are_verified_on_request(passing):
    """They are read back, and one wrong byte is noticed."""
    main = (passing / "main.c").read_text()
    fails = 'if (cnn_verify_weights() != CNN_OK) { printf("*** FAIL ***\\n"); for (;;) {} }'
    checked = f"cnn_load_weights();\n  {fails}"
    (passing / "main.c").write_text(main.replace("cnn_load_weights();", checked))
    assert run(passing).result.passed
    spoil = "*((volatile uint8_t *) 0x50180001) = 1; *((volatile uint32_t *) 0x50180000) = 0;"
    three = spoil + spoil.partition(";")[2] * 2  # a column is complete after nine bytes
    (passing / "main.c").write_text(main.replace("cnn_load_weights();", checked.replace("\n", three, 1)))
    assert run(passing).result.passed is False


def test_a_project_is_whole_or_not_there(case, tmp_path, monkeypatch):
    network, bits, seed = case("digitsnet")
    first = write(tmp_path, network, bits, seed)
    before = {path.name: path.read_bytes() for path in first.project.iterdir()}
    assert write(tmp_path, network, bits, seed).project == first.project

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(project_module.os, "replace", full)
    monkeypatch.setattr(project_module.shutil, "rmtree", shutil.rmtree)
    with pytest.raises(SynthesisError, match="cannot be written to .*: No space left on device"):
        write(tmp_path / "other", network, bits, seed)
    assert list((tmp_path / "other").iterdir()) == []
    monkeypatch.undo()
    monkeypatch.setattr(project_module, "sample_headers", lambda *_: {"layers.h": "é"})
    with pytest.raises(UnicodeEncodeError):
        write(tmp_path, network, bits, seed)
    assert {path.name: path.read_bytes() for path in first.project.iterdir()} == before


def test_its_readme_says_what_it_prints(case, tmp_path):
    synthesis = write(tmp_path, *case("nascifarnet"), [str(n) for n in range(10)])
    text = (synthesis.project / "README.md").read_text()
    assert "$" not in text and "228,217 cycles" in text and "inference time: 4564 us" in text
    assert {path.name for path in synthesis.project.iterdir()} == set(re.findall(r"`(\S+\.[chm]\w*)`", text)) | {
        "Makefile",
        "README.md",
    }


def test_what_cannot_be_is_refused_before_anything_is_written(make_network, model, tmp_path):
    network = make_network(FEW_BITS, (3, 6, 6))
    with pytest.raises(ConfigError, match="device=max78002: its addresses are not known"):
        synthesize(random_integers(network, {}, 0), OTHER_DEVICE, random_image((3, 6, 6), 0), None, tmp_path)
    layers = {f"a{i}": {"out_channels": 64, "kernel_size": 3} for i in range(12)}
    with pytest.raises(SynthesisError, match=r"layer a\d+: has the most of the kernels.*flash of max78000"):
        write(tmp_path, make_network(layers, (64, 32, 32)))
    assert list(tmp_path.iterdir()) == []
