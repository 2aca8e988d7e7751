"""Everything that can go wrong around the synthesizer, by programs that stand in for it."""

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from maxexp.base.errors import ConfigError, MaxexpError, SynthesisError
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import network_cost
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.synthesis.ai8x import Synthesizer, arguments, find_checkout
from maxexp.synthesis.config import SynthesisConfig, SynthesisMethod
from maxexp.synthesis.native.configuration import configuration
from maxexp.synthesis.stand_in import random_image, random_integers
from maxexp.synthesis.stored import project_name, without_zero_biases
from tests.synthesis.makers_form import write_makers_form

MAX78000, MAX78002 = DeviceConfig("max78000", 50.0), DeviceConfig("max78002", 200.0)

LAYERS = {
    "conv1": {"out_channels": 8},
    "copy": {"op": "passthrough", "pool": "max"},
    "fc": {"op": "linear", "out_features": 4, "wide": True},
}
SHAPE = (3, 8, 8)

WRITER = """
import json, pathlib, sys, numpy
words = sys.argv
value = lambda key: words[words.index(key) + 1]
project = pathlib.Path(value("--test-dir"), value("--prefix"))
project.mkdir()
(project / "log.txt").write_text(pathlib.Path({log!r}).read_text())
for name in ("cnn.c", "weights.h"):
    (project / name).write_text(pathlib.Path({log!r}).with_name(name).read_text())
numpy.save(project / value("--sample-numpy-filename"), numpy.array({answer}))
print("Reading the network")
print("WARNING: Layer 1: something about it", file=sys.stderr)
print("NOTICE: nothing", file=sys.stderr)
"""


def as_log(cost):
    """What the synthesizer would write of these figures (docs/hardware.md, The maker's synthesizer)."""
    memory = cost.fit.memory
    names = [layer.name for layer in cost.layers]
    offsets = [memory.kernel_offset.get(name, 0) for name in names]
    columns = [memory.kernel_columns[name] for name in names]
    lines = ["Kernel map:", f"Kernel offset       = {offsets}", f"Kernel length       = {columns}", ""]
    lines += ["ESTIMATED LATENCY", f"{'Startup':14}{1:>12}"]
    lines += [f"{f'Layer {i}':14}{layer.cycles:>12,}" for i, layer in enumerate(cost.layers)]
    lines += ["                 ==========", f"Total{cost.cycles:>21,} cycles", "", "SUMMARY OF OPS"]

    def ops(total, macs):
        return f"{total:,} ops ({macs:,} macc; {total - macs:,} comp; 0 add; 0 mul; 0 bitwise)"

    lines += [f"Hardware: {ops(cost.network.ops, cost.network.macs)}"]
    lines += [f"  Layer {i}: {ops(x.ops, x.macs)}" for i, x in enumerate(cost.layers)]
    lines += ["", "RESOURCE USAGE"]
    lines += [f"Weight memory: {cost.fit.weight_bytes:,} bytes out of 442,368 bytes total (0.1%)"]
    lines += [f"Bias memory:   {cost.fit.bias_bytes:,} bytes out of 2,048 bytes total (0.6%)", ""]
    return "\n".join(lines)


@pytest.fixture
def case(make_network, tmp_path):
    """A small network, its cost, and its answer to the sample; beside them the firmware of the maker."""
    network = make_network(LAYERS, SHAPE)
    integer = random_integers(network, {}, 0)
    answer = integer(random_image(SHAPE, 0)[None])[0].tolist()
    cost = network_cost(network, {}, MAX78000)
    write_makers_form(tmp_path, configuration(cost.fit.memory, integer.layers))
    return network, cost, answer


def writer(tmp_path: Path, log: str, answer: list[int]) -> str:
    (tmp_path / "log").write_text(log)
    return WRITER.format(log=str(tmp_path / "log"), answer=answer)


def test_figures_and_answer_are_taken_over_where_they_agree(case, stand_in, synthesize, tmp_path, caplog):
    network, cost, answer = case
    result = synthesize(stand_in(writer(tmp_path, as_log(cost), answer)), network, tmp_path)
    report = json.loads(json.dumps(result.report()))
    assert report["cycles"] == cost.cycles == 1 + sum(layer["cycles"] for layer in report["layers"])
    assert report["known_answer"] == answer
    assert report["warnings"] == ["layer 1 (copy): something about it"]
    assert "ai8x-synthesis warns: layer 1 (copy): something about it" in caplog.messages
    assert result.project == tmp_path / "synthesis" / "net"
    assert (tmp_path / "synthesis" / "network.yaml").is_file()
    assert np.load(tmp_path / "synthesis" / "sample.npy").dtype == np.int64


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("Kernel length ", "log does not give the kernel length"),
        ("ESTIMATED LATENCY", "log has no 'ESTIMATED LATENCY'"),
        ("Total ", "log does not give the cycles"),
        ("Layer 2 ", "different numbers of layers"),
        ("Hardware: ", "log does not give the operations"),
        ("Bias memory: ", "log does not give the bias memory"),
    ],
)
def test_a_log_without_a_figure_is_an_error(case, stand_in, synthesize, tmp_path, part, message):
    network, cost, answer = case
    text = as_log(cost)
    assert part in text
    with pytest.raises(SynthesisError, match=message):
        synthesize(stand_in(writer(tmp_path, text.replace(part, "Other "), answer)), network, tmp_path)


def altered(cost, **changes):
    return replace(cost, layers=tuple(replace(x, **changes) if x.name == "conv1" else x for x in cost.layers))


@pytest.mark.parametrize(
    ("alter", "message"),
    [
        (lambda c: altered(c, cycles=5000), "layer conv1: cycles: our model says .*, ai8x-synthesis says 5,000"),
        (lambda c: altered(c, macs=7, ops=7), "layer conv1: multiply-accumulates: .* says 7"),
        (lambda c: altered(c, ops=20000), "layer conv1: operations: .* says 20,000"),
        (lambda c: replace(c, fit=replace(c.fit, weight_bytes=8)), "the network: bytes of weights: .* says 8"),
        (lambda c: replace(c, fit=replace(c.fit, bias_bytes=9)), "the network: bytes of biases: .* says 9"),
        (lambda c: replace(c, layers=c.layers[:2]), "the network: layers: our model says 3, ai8x-synthesis says 2"),
    ],
)
def test_a_difference_is_an_error(case, stand_in, synthesize, tmp_path, alter, message):
    network, cost, answer = case
    text = as_log(alter(cost))
    with pytest.raises(SynthesisError, match=message) as caught:
        synthesize(stand_in(writer(tmp_path, text, answer)), network, tmp_path)
    assert "\n" not in str(caught.value)


def test_other_firmware_is_an_error(case, stand_in, synthesize, tmp_path):
    network, cost, answer = case
    text = (tmp_path / "weights.h").read_text()
    (tmp_path / "weights.h").write_text(text.replace("BIAS_0 { \\\n  0x", "BIAS_0 { \\\n  0x1"))
    with pytest.raises(SynthesisError, match="our firmware and that of ai8x-synthesis differ: biases at 0x50108000"):
        synthesize(stand_in(writer(tmp_path, as_log(cost), answer)), network, tmp_path)


def test_another_known_answer_is_an_error(case, stand_in, synthesize, tmp_path):
    network, cost, answer = case
    wrong = [*answer[:2], answer[2] + 1, answer[3]]
    with pytest.raises(SynthesisError, match=r"the known answer: output 2 \(1 of 4 differ\)"):
        synthesize(stand_in(writer(tmp_path, as_log(cost), wrong)), network, tmp_path)
    with pytest.raises(SynthesisError, match="the known answer: outputs: our model says 4, ai8x-synthesis says 3"):
        synthesize(stand_in(writer(tmp_path, as_log(cost), answer[:3])), network, tmp_path)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (
            "import sys; print('ERROR: Layer 2: bias memory capacity exhausted', file=sys.stderr); sys.exit(1)",
            r"ai8x-synthesis refuses net: layer 2 \(fc\): bias memory capacity exhausted \(use fewer channels",
        ),
        (
            "import sys; sys.exit('ERROR: \\nLayer 0: Kernel memory exhausted at processor 0; offset: 4')",
            r"layer 0 \(conv1\): Kernel memory exhausted at processor 0; offset: 4 \(its kernels do not fit",
        ),
        ("weight = 200\nassert weight < 128", "refuses net: AssertionError in assert weight < 128"),
        ("import izer.izer", "ModuleNotFoundError: .* .remove the folder ai8x-"),
        ("raise SystemExit(3)", "refuses net: no message"),
        ("", "ai8x-synthesis left no readable .*log.txt"),
    ],
)
def test_its_errors_become_one_line(case, stand_in, synthesize, tmp_path, program, message):
    with pytest.raises(SynthesisError, match=message) as caught:
        synthesize(stand_in(program), case[0], tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "synthesis" / "errors.txt").is_file()


def test_it_is_stopped_after_the_timeout(case, stand_in, synthesize, tmp_path):
    start = time.monotonic()
    with pytest.raises(SynthesisError, match="stopped after 1 s; raise synthesis.timeout_s"):
        synthesize(stand_in("import time; time.sleep(60)", timeout_s=1), case[0], tmp_path)
    assert time.monotonic() - start < 20


def test_it_runs_in_its_checkout_without_our_packages(case, stand_in, synthesize, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/of/maxexp")
    program = "import os, sys; sys.exit(f'ERROR: {os.path.basename(os.getcwd())} {os.environ.get(\"PYTHONPATH\")}')"
    with pytest.raises(SynthesisError, match="refuses net: checkout None"):
        synthesize(stand_in(program), case[0], tmp_path)


def test_the_command_line(make_network, tmp_path, max78000):
    """docs/hardware.md, The maker's synthesizer: no network, no progress bars; softmax for the 32-bit outputs of
    single pixels only."""
    words = arguments(make_network(LAYERS, SHAPE), tmp_path / "q.pth.tar", tmp_path / "project", max78000)
    assert {"--no-version-check", "--no-progress", "--verbose", "--softmax"} <= set(words)
    assert words[words.index("--device") + 1] == "MAX78000"
    narrow = make_network({"conv1": {"out_channels": 8}}, SHAPE)
    assert "--softmax" not in arguments(narrow, tmp_path / "q.pth.tar", tmp_path / "project", max78000)


def test_where_the_checkout_is(tmp_path, monkeypatch):
    monkeypatch.delenv("AI8X_SYNTHESIS", raising=False)
    with pytest.raises(ConfigError, match="synthesis=ai8x: needs the maker's synthesizer; clone https://"):
        find_checkout(None)
    with pytest.raises(ConfigError, match=f"synthesis.path={tmp_path}: no checkout of ai8x-synthesis, ai8xize.py is"):
        find_checkout(str(tmp_path))
    monkeypatch.setenv("AI8X_SYNTHESIS", str(tmp_path))
    with pytest.raises(ConfigError, match=f"AI8X_SYNTHESIS={tmp_path}: no checkout"):
        find_checkout(None)
    for name in ("ai8xize.py", "izer", "assets"):
        (tmp_path / name).mkdir()
    assert find_checkout(None) == tmp_path


def test_another_device_is_refused():
    with pytest.raises(ConfigError, match="supports max78000 only, not max78002; use synthesis=estimate"):
        Synthesizer(SynthesisConfig(SynthesisMethod.ai8x), MAX78002)
    with pytest.raises(MaxexpError, match="synthesis.timeout_s=0"):
        SynthesisConfig(timeout_s=0)


@pytest.mark.parametrize(("name", "folder"), [("my net (2)", "my-net-2"), ("été", "t"), ("??", "network")])
def test_any_name_of_a_network_becomes_a_folder(name, folder):
    assert project_name(name) == folder


def test_biases_that_are_all_zero_are_not_stored(make_network):
    integer = random_integers(make_network(LAYERS, SHAPE), {}, 0)
    layers = [replace(x, bias=torch.zeros_like(x.bias)) if x.layer.name == "fc" else x for x in integer.layers]
    stored = without_zero_biases(IntegerNetwork(integer.network, layers))
    assert stored.biases == 8 and integer.network.biases == 12


def test_the_makers_sample_is_taken_where_it_has_one(stand_in, tmp_path):
    synthesizer = stand_in("")
    (tmp_path / "checkout" / "tests").mkdir()
    image = np.arange(-96, 96).reshape(3, 8, 8)
    np.save(tmp_path / "checkout" / "tests" / "sample_cifar-10.npy", image)
    assert synthesizer.sample("cifar10", (3, 8, 8)).tolist() == image.tolist()
    assert synthesizer.sample("cifar10", (3, 32, 32)) is None
    assert synthesizer.sample("cifar100", (3, 8, 8)) is None
