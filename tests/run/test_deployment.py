"""The deploy stage of whole runs, on boards that are made up; and, with ai8x-synthesis, on the emulated one.

Without the synthesizer a stand-in takes its place: it confirms our figures and leaves a project that only the
made-up boards understand.
"""

import json
import logging
import struct
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch

from maxexp.base.errors import BoardError, ConfigError
from maxexp.board.firmware import Firmware
from maxexp.board.result import BoardRun
from maxexp.board.serial_output import parse_output
from maxexp.quantization.files.checkpoint import write_integer
from maxexp.synthesis import ai8x as synthesizer
from maxexp.synthesis.ai8x import ConfirmedSynthesis, Synthesizer
from maxexp.synthesis.log import SynthesisLog
from maxexp.synthesis.stand_in import random_integers
from maxexp.synthesis.stored import stored_cost
from tests.conftest import composed

DEPLOY = ("synthesis=ai8x", "stages=[evaluate,synthesize,deploy]")
OTHER_CYCLES = 17


class MadeUpBoard:
    """A board that computes what the integer network does, as far as its faults allow.

    Args:
        cycles: that it counts; None as real boards do.
        verdict, wrong_images: PASS or FAIL; how many images it gets wrong.
        time: how it says the time of an inference.
        outputs: how many it announces; None for as many as it has.
    """

    name, source = "made up", "measured"

    def __init__(
        self,
        cycles: int | None = None,
        verdict: str = "PASS",
        wrong_images: int = 0,
        time: str = "123 us",
        outputs: int | None = None,
    ) -> None:
        self.cycles, self.verdict, self.wrong_images = cycles, verdict, wrong_images
        self.time, self.outputs = time, outputs
        self.integer, self.answer = None, None

    def build(self, project: Path, folder: Path) -> Firmware:
        folder.mkdir(parents=True, exist_ok=True)
        files = [folder / f"firmware.{kind}" for kind in ("elf", "hex", "bin")]
        for file in files:
            file.write_bytes((project / "cnn.c").read_bytes())
        return Firmware(*files)

    def run(self, firmware: Firmware, transcript: Path) -> BoardRun:
        lines = ["*** CNN Inference Test net ***"]
        if self.verdict == "FAIL":
            lines += ["Data mismatch (1/4) at address 0x50404000: Expected 0xfffc3376, read 0x00000001."]
        lines += [f"*** {self.verdict} ***", f"Approximate inference time: {self.time}"]
        lines += [f"[{logit:7}] -> Class {i}: 0.0%" for i, logit in enumerate(self.answer)]
        transcript.write_text("\n".join(lines))
        return BoardRun(parse_output("\n".join(lines)), self.cycles)

    @contextmanager
    def serve(self, project: Path, folder: Path):
        self.build(project, folder)
        self._words = bytearray(f"*** Inference Server, {self.outputs or len(self.answer)} outputs ***\n".encode())
        yield self

    def read(self, size: int = 1) -> bytes:
        part = bytes(self._words[:size])
        del self._words[:size]
        return part

    def write(self, data: bytes) -> None:
        """One block for the one channel of the digits: address, 64 words, then the end."""
        words = np.frombuffer(data, "<u4")
        assert (words[1], words[-1], len(words)) == (64, 0, 67)
        image = torch.from_numpy(words[2:66].astype(np.uint8).view(np.int8).reshape(1, 1, 8, 8).copy())
        outputs = self.integer(image)[0].tolist()
        if self.wrong_images:
            outputs[0] += 1
            self.wrong_images -= 1
        answer = [int(words.sum()) & 0xFFFFFFFF, 55, *(x & 0xFFFFFFFF for x in outputs)]
        self._words += struct.pack(f"<{len(answer) + 1}I", *answer, sum(answer) & 0xFFFFFFFF)


@pytest.fixture
def deploy(quickstart, store, run_here, monkeypatch, tmp_path):
    """``deploy(board, "board.images=5")``: the quickstart's network on a made-up board."""

    def deploy(board: MadeUpBoard | None, *overrides: str, **error):
        def synthesize(self, integer, checkpoint, dataset, sample, folder) -> ConfirmedSynthesis:
            cost = stored_cost(integer, self._device, None)
            (folder / "net").mkdir(parents=True)
            (folder / "net" / "cnn.c").write_text("int cnn;")
            answer = integer(sample[None])[0].numpy()
            if board:
                board.integer, board.answer = integer, answer.tolist()
            figures = SynthesisLog(cost.cycles, 0, 0, 0, 0, ())
            return ConfirmedSynthesis(integer, cost, folder / "net", answer, 0, figures, [], "version")

        monkeypatch.setattr(Synthesizer, "run", synthesize)
        monkeypatch.setattr(ConfirmedSynthesis, "report", lambda self: {})
        monkeypatch.setattr(synthesizer, "environment_python", lambda interpreter: Path("python"))
        for name in ("izer", "assets"):
            (tmp_path / "checkout" / name).mkdir(parents=True, exist_ok=True)
        (tmp_path / "checkout" / "ai8xize.py").touch()
        if board:
            monkeypatch.setattr("maxexp.board.board.open_board", lambda config, part: board)
        file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
        checkout = f"synthesis.path={tmp_path}/checkout"
        return run_here(*DEPLOY, f"checkpoint={file}", checkout, "board=max78000fthr", *overrides, **error)

    return deploy


def test_what_a_measured_run_records(deploy, store):
    board = MadeUpBoard()
    run = deploy(board, "board.images=20")
    metrics, tags = run.data.metrics, run.data.tags
    assert (metrics["board/known_answer_pass"], metrics["board/latency_us"]) == (1, 123)
    assert (metrics["board/images"], metrics["board/disagreements"]) == (20, 0)
    assert 0.9 <= metrics["board/accuracy"] <= 1
    assert (tags["hw.source"], tags["stage.deploy"]) == ("measured", "done")
    assert metrics["hw/latency_us"] == 123
    assert metrics["hw/images_per_s"] == pytest.approx(1e6 / 123)
    table = tags["mlflow.note.content"]
    assert f"| cycles | {metrics['hw/cycles']:,.0f} | synthesized |" in table
    assert "| latency | 0.123 ms | measured |" in table
    report = json.loads(store.artifact(run, "board/known_answer.json").read_text())
    assert (report["verdict"], report["logits"], report["source"]) == ("PASS", board.answer, "measured")
    assert store.artifacts(run, "board") == {"known_answer.json", "serial.txt"}
    assert store.artifacts(run, "firmware") == {"firmware.elf", "firmware.hex", "firmware.bin", "server"}


def test_all_images_give_the_accuracy_of_the_integer_network(deploy):
    metrics = deploy(MadeUpBoard(), "board.images=null").data.metrics
    assert metrics["board/images"] == metrics["test/images"]
    assert metrics["board/accuracy"] == metrics["test/accuracy_integer"]


def test_a_failed_known_answer_fails_the_stage_only(deploy, store):
    match = "FAIL, 0x00000001 instead of 0xfffc3376 at 0x50404000"
    run = deploy(MadeUpBoard(verdict="FAIL"), error=BoardError, match=match)
    assert run.info.status == "FAILED"
    assert (run.data.tags["stage.deploy"], run.data.tags["stage.synthesize"]) == ("failed", "done")
    assert run.data.metrics["board/known_answer_pass"] == 0
    assert run.data.metrics["test/accuracy_integer"] > 0.95
    assert run.data.tags["hw.source"] == "synthesized"
    assert "FAIL" in store.artifact(run, "board/serial.txt").read_text()
    assert json.loads(store.artifact(run, "board/known_answer.json").read_text())["mismatches"][0]["found"] == 1


def test_other_cycles_than_synthesized_are_an_error(deploy):
    run = deploy(MadeUpBoard(cycles=OTHER_CYCLES), error=BoardError, match="17 cycles, our model of the chip says")
    assert run.data.tags["hw.source"] == "synthesized"


def test_an_image_with_other_outputs_is_an_error(deploy):
    run = deploy(MadeUpBoard(wrong_images=2), "board.images=10", error=BoardError, match="2 of 10 images have other")
    assert run.data.metrics["board/disagreements"] == 2
    assert run.data.metrics["board/known_answer_pass"] == 1


def test_a_time_that_was_lost_on_the_line_is_missed(deploy, caplog):
    run = deploy(MadeUpBoard(time="1\N{REPLACEMENT CHARACTER}3 us"))
    assert "board/latency_us" not in run.data.metrics
    assert "board made up: the time of the inference did not come over the serial line; it is not recorded" in (
        caplog.messages
    )
    assert "board made up: the serial line disturbed 1 bytes of what it said" in caplog.messages


def test_a_board_that_serves_another_network(deploy):
    deploy(MadeUpBoard(outputs=11), error=BoardError, match="announces 11 outputs, the network has 10")


def test_no_board_attached(deploy, store, monkeypatch):
    """All else is recorded; only the deploy stage failed."""
    monkeypatch.setattr("maxexp.board.real.usb.comports", lambda: [])
    monkeypatch.delenv("MAXIM_PATH", raising=False)
    build = MadeUpBoard().build
    monkeypatch.setattr(
        "maxexp.board.real.board.build_firmware", lambda project, folder, *_, **__: build(project, folder)
    )
    run = deploy(None, error=BoardError, match="no board found: no serial port has a USB id of 0d28:0204")
    tags = {stage: run.data.tags[f"stage.{stage}"] for stage in ("evaluate", "synthesize", "deploy")}
    assert tags == {"evaluate": "done", "synthesize": "done", "deploy": "failed"}
    assert run.data.tags["hw.source"] == "synthesized"
    assert {"hw/latency_us", "test/accuracy_integer"} <= set(run.data.metrics)
    assert "| latency |" in run.data.tags["mlflow.note.content"]
    assert "firmware.elf" in store.artifacts(run, "firmware")


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["board=emulated", "synthesis=estimate"], "board=emulated: .*set synthesis=native"),
        (["board=max78000fthr", "stages=[train,deploy]"], "board=max78000fthr: .*add synthesize to stages"),
    ],
)
def test_what_a_board_needs_is_missed_before_the_training(refused_here, overrides, says):
    refused_here(*overrides, error=ConfigError, match=says)


def test_all_that_a_board_needs_is_told_at_once(refused_here, monkeypatch):
    told = refused_here(
        "board=emulated",
        "synthesis=estimate",
        "quantization=ptq",
        "stages=[train,deploy]",
        error=ConfigError,
        match="quantizes in stage quantize; add it",
    )
    for need in ("add synthesize to stages", "set synthesis=native"):
        assert need in told
    monkeypatch.delenv(synthesizer.CHECKOUT_VARIABLE, raising=False)
    monkeypatch.setattr("maxexp.board.compilers.which", lambda compiler: None)
    monkeypatch.setattr("maxexp.board.compilers.importlib.util.find_spec", lambda name: None)
    told = refused_here("board=emulated", "synthesis=ai8x", error=ConfigError, match="needs the maker's synthesizer")
    assert "pip install 'maxexp[firmware]'" in told


def test_floating_point_is_not_deployed(run_here):
    run = run_here("quantization=float", "board=emulated", "trainer.max_epochs=1")
    assert run.data.tags["stage.deploy.reason"] == "quantization=float"


def test_our_firmware_on_the_emulated_board(quickstart, store, run_here, compiler):
    """From a trained network to its accuracy on the board, with nothing but a compiler."""
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    stages = "stages=[evaluate,synthesize,deploy]"
    run = run_here(stages, f"checkpoint={file}", "board=emulated", "board.images=30", "synthesis.referee=never")
    metrics, tags = run.data.metrics, run.data.tags
    assert (metrics["board/known_answer_pass"], metrics["board/disagreements"], metrics["board/images"]) == (1, 0, 30)
    assert metrics["board/latency_us"] == metrics["hw/cycles"] // 50
    assert (tags["hw.source"], tags["stage.deploy"]) == ("emulated", "done")
    assert "| cycles | 2,105 | emulated |" in tags["mlflow.note.content"]
    said = store.artifact(run, "board/serial.txt").read_text()
    assert "*** PASS ***" in said and "% 9\n" in said
    report = json.loads(store.artifact(run, "board/known_answer.json").read_text())
    assert report["logits"] == json.loads(store.artifact(run, "synthesis/synthesis.json").read_text())["known_answer"]


@pytest.mark.parametrize("application", ["serial", "camera"])
def test_an_application_is_written_and_tried_on_the_emulated_board(
    quickstart, store, run_here, compiler, application, caplog
):
    file = store.artifact(quickstart, "checkpoints/qat_best.pth.tar")
    board = ["board=emulated", "board.images=1", f"board.application={application}", "synthesis.referee=never"]
    with caplog.at_level(logging.INFO):
        run = run_here("stages=[synthesize,deploy]", f"checkpoint={file}", *board)
    assert f"board emulated: application {application} runs; 3 test images tried" in caplog.messages
    assert {"input.h", "run.c", "README.md"} <= store.artifacts(run, f"synthesis/digitsnet_{application}")
    assert "firmware.elf" in store.artifacts(run, f"firmware/{application}")


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["stages=[synthesize]"], "board.application=camera: says what a trained network sees; add train to stages"),
        (["synthesis=estimate"], "board.application=camera: our own synthesizer writes it; set synthesis=native"),
        (["device=max78002"], "no firmware is written for max78002; choose device=max78000"),
        (
            ["board=max78000fthr"],
            "board.application=camera: the camera's driver is part of the maker's SDK; set MAXIM",
        ),
        (["+experiment=diabetes_qat"], "the network's input is 10x1x1, and pictures of the camera have"),
    ],
)
def test_an_application_that_cannot_be_is_refused_before_the_training(refused_here, overrides, says):
    refused_here(*overrides, "board.application=camera", error=ConfigError, match=says)


def test_the_evaluation_kit_has_no_camera_application():
    with pytest.raises(
        ConfigError, match="board.application=camera: is for the MAX78000FTHR; choose board=max78000fthr"
    ):
        composed("board=max78000evkit", "board.application=camera")


def test_made_up_weights_run_on_the_emulated_board(run_here, compiler):
    """Of an untrained network, so that firmware can be tried before any training."""
    run = run_here("stages=[synthesize,deploy]", "board=emulated", "board.images=0", "synthesis.referee=never")
    assert run.data.metrics["board/known_answer_pass"] == 1
    assert run.data.tags["hw.source"] == "emulated"


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_makers_network_on_the_emulated_board(run_here, checkout, compiler, ai8x, data_root, store):
    """The command of the issue."""
    golden = json.loads((ai8x / "cifar10-nas.golden.json").read_text())
    file = ai8x / "ai85-cifar10-qat8.pth.tar"
    choice = ["+experiment=cifar10_qat", f"checkpoint={file}", "board=emulated", f"synthesis.path={checkout}"]
    run = run_here(*DEPLOY, *choice, f"dataset.root={data_root}", "board.images=30")
    report = json.loads(store.artifact(run, "board/known_answer.json").read_text())
    assert (report["verdict"], report["logits"]) == ("PASS", golden["logits_int32"])
    assert report["cycles"] == golden["latency_cycles"]["total"]
    metrics = run.data.metrics
    assert (metrics["hw/cycles"], metrics["hw/macs"]) == (228_217, 36_180_992)
    assert (metrics["board/known_answer_pass"], metrics["board/latency_us"]) == (1, 4564)
    assert (metrics["board/images"], metrics["board/disagreements"]) == (30, 0)
    assert run.data.tags["hw.source"] == "emulated"


RESIDUAL = [
    "dataset=cifar10",
    "model.layers.conv1={out_channels:20}",
    "model.layers.conv2={out_channels:20,pool:null}",
    "model.layers.sum={op:conv2d,out_channels:24,inputs:[conv1,conv2],eltwise:add,pool:max}",
    "~model.layers.fc",
    "+model.layers.small={op:passthrough,pool:avg,pool_size:4}",
    "+model.layers.out={op:linear,out_features:10,activation:none,wide:true}",
]

MIXED = "quantization.layer_bits={conv1_1:8,conv3_1:2,conv4_2:1,fc:8}"

NETWORKS = {
    "cmsisnnet": (94_889, ["model=cmsisnnet", "dataset=cifar10"]),
    "simplenet": (101_613, ["model=simplenet", "dataset=cifar10"]),
    "100 classes": (228_937, ["model=nascifarnet", "dataset=cifar100"]),
    "mixed precision": (228_217, ["model=nascifarnet", "dataset=cifar10", "quantization=mixed", MIXED]),
    "residual": (None, RESIDUAL),
}
"""Cycles as ai8x-synthesis was seen to say them (docs/hardware.md, Latency), and the choice of the network."""


@pytest.mark.ai8x
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", NETWORKS)
def test_networks_on_the_emulated_board(name, run_here, checkout, compiler, data_root, tmp_path, compose_config):
    """With weights of full range, which is harder than trained ones; equal image for image."""
    from maxexp.network.graph import build_network

    cycles, keys = NETWORKS[name]
    choice = [*keys, f"dataset.root={data_root}"]
    config = compose_config(*choice)
    network = build_network(config.model, config.dataset.shape)
    write_integer(tmp_path / "q.pth.tar", random_integers(network, config.quantization.bits(network), 1), 0, {})
    board = ["board=emulated", "board.images=10", f"synthesis.path={checkout}", f"checkpoint={tmp_path}/q.pth.tar"]
    run = run_here(*choice, *board, "synthesis=ai8x", "stages=[synthesize,deploy]")
    metrics = run.data.metrics
    assert (metrics["board/known_answer_pass"], metrics["board/disagreements"], metrics["board/images"]) == (1, 0, 10)
    assert metrics["board/latency_us"] == metrics["hw/cycles"] // 50
    assert cycles in (None, metrics["hw/cycles"])
    assert run.data.tags["hw.source"] == "emulated"
