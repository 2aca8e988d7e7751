"""A generated project becomes firmware, the firmware runs on a board, and what it says is recorded."""

import logging
import sys
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from torch import Tensor

from maxexp.base.errors import BoardError
from maxexp.board.board import Board
from maxexp.board.inference import InferenceClient, Line
from maxexp.board.metrics import BOARD_IMAGES, BOARD_LATENCY, DISAGREEMENTS, KNOWN_ANSWER
from maxexp.board.result import SERIAL_LOG, BoardRun
from maxexp.board.serial_output import FirmwareResult
from maxexp.chip.metrics import LATENCY, THROUGHPUT
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.chip.part import Part
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import map_pixels
from maxexp.data.dataset import ImageSet
from maxexp.data.store.split import stratified_order
from maxexp.network.graph import Network
from maxexp.synthesis.synthesis import Synthesis
from maxexp.tasks.base import Task
from maxexp.tracking import artifacts
from maxexp.tracking.record import RunRecord

log = logging.getLogger(__name__)


class Deployment:
    """One generated project on one board.

    Args:
        folder: local folder for files on their way to the record.
    """

    def __init__(self, board: Board, synthesis: Synthesis, record: RunRecord, folder: Path) -> None:
        self._board = board
        self._synthesis = synthesis
        self._record = record
        self._firmware_folder, self._board_folder = folder / artifacts.FIRMWARE, folder / artifacts.BOARD

    def run_known_answer(self) -> None:
        """Runs the known-answer test and records verdict, logits, latency, program and serial output.

        Raises:
            BoardError: the project cannot be built or run, the answer is another one, or the cycles are.
        """
        self._board_folder.mkdir(parents=True, exist_ok=True)
        try:
            log.info("building firmware ...")
            firmware = self._board.build(self._synthesis.project, self._firmware_folder)
            run = self._board.run(firmware, self._board_folder / SERIAL_LOG)
        finally:
            for folder in (self._firmware_folder, self._board_folder):
                if folder.exists():
                    self._record.log_artifact(folder)
        result = run.result
        metrics: dict[str, float] = {KNOWN_ANSWER.key: bool(result.passed)}
        if result.inference_us is not None:
            metrics[BOARD_LATENCY.key] = result.inference_us
        self._record.log_metrics(metrics)
        report = self._report(run)
        self._record.log_dict(report, artifacts.KNOWN_ANSWER)
        self._check(run)
        _warn_of_losses(self._board.name, result)
        self._record.set_tags({"hw.source": self._board.source})
        if run.cycles is None and result.inference_us:
            # No cycles are counted, so the stopwatch is the better evidence.
            latency = {LATENCY.key: result.inference_us, THROUGHPUT.key: 1e6 / result.inference_us}
            self._record.log_metrics(latency)
        log.info("board %s: PASS, %s us, logits %s", self._board.name, result.inference_us, report["logits"])

    def _report(self, run: BoardRun) -> dict:
        """Returns the content of :data:`~maxexp.tracking.artifacts.KNOWN_ANSWER`."""
        return {
            "board": self._board.name,
            "source": self._board.source,
            "verdict": "PASS" if run.result.passed else "FAIL",
            "inference_us": run.result.inference_us,
            "cycles": run.cycles,
            "logits": [logit >> self._shift for logit in _printed(run)],
            "percent": list(run.result.percent.values()),
            "mismatches": [vars(mismatch) for mismatch in run.result.mismatches],
        }

    def _check(self, run: BoardRun) -> None:
        name, result, expected = self._board.name, run.result, self._synthesis
        if not result.passed:
            where = "its output is not the known answer"
            if result.mismatches:
                first = result.mismatches[0]
                where = f"0x{first.found:08x} instead of 0x{first.expected:08x} at 0x{first.address:08x}"
            raise BoardError(f"board {name}: FAIL, {where}; all that it said: artifact {artifacts.SERIAL_OUTPUT}")
        if result.logits and _printed(run) != (expected.answer.ravel() << self._shift).tolist():
            raise BoardError(
                f"board {name}: PASS, but the logits that it prints are not the known answer; the serial line "
                f"disturbed them, see artifact {artifacts.SERIAL_OUTPUT}, and run it again"
            )
        if run.cycles not in (None, expected.cost.cycles):
            raise BoardError(
                f"board {name}: {run.cycles:,} cycles, our model of the chip says {expected.cost.cycles:,}: report it"
            )

    @property
    def _shift(self) -> int:
        """Returns by how many bits the firmware shifts logits up to print them (docs/hardware.md, Firmware)."""
        return self._synthesis.printed_shift

    def measure_accuracy(
        self, task: Task, integer: IntegerNetwork, images: ImageSet, mapping: InputMapping | None
    ) -> None:
        """Classifies images on the board, beside the integer network, and records accuracy and disagreements.

        Raises:
            BoardError: the board cannot, or an output is not that of the integer network.
        """
        inputs = map_pixels(images.images, mapping).cpu()
        folder = self._firmware_folder / "server"
        try:
            with self._board.serve(self._synthesis.project, folder) as line:
                outputs = _classify(_client(line, self._synthesis.cost.device.part, integer.network), inputs)
        finally:
            if folder.exists():
                self._record.log_artifact(folder, artifacts.FIRMWARE)
        different = int((outputs != integer.predict(inputs)).any(1).sum())
        decisions = task.decide(integer.in_units(outputs))
        scores = task.evaluate(decisions, images)
        self._record.log_metrics(
            {
                **{task.score(name).board.key: value for name, value in scores.items()},
                BOARD_IMAGES.key: len(images),
                DISAGREEMENTS.key: different,
            }
        )
        shown = ", ".join(score.form.with_unit(scores[score.name]) for score in task.scores if score.name in scores)
        log.info("board %s: %s %s of %d test examples", self._board.name, task.selects.label, shown, len(images))
        if different:
            raise BoardError(
                f"board {self._board.name}: {different} of {len(images)} images have other outputs than the integer "
                "network; our model of the chip is wrong, or the board is: report it"
            )


def choose_images(images: ImageSet, count: int | None, seed: int) -> ImageSet:
    """Returns ``count`` images, spread over the classes; all of them if None."""
    if count is None or count >= len(images):
        return images
    return images.subset(np.sort(stratified_order(images.strata, seed)[:count]))


def _client(line: Line, part: Part, network: Network) -> InferenceClient:
    """Raises BoardError unless the board serves this network."""
    client = InferenceClient(line, part, network.layers[-1].wide)
    if client.outputs != network.out_features:
        raise BoardError(
            f"the board announces {client.outputs} outputs, the network has {network.out_features}: the serial line "
            "disturbed it, or other firmware runs; reset the board and try again"
        )
    return client


def _classify(client: InferenceClient, inputs: Tensor) -> Tensor:
    """Computes int32 (N, outputs) of int8 (N, C, H, W)."""
    console, quiet = Console(stderr=True), not sys.stderr.isatty()
    shown = track(inputs.numpy(), "images on the board", console=console, disable=quiet)
    return torch.from_numpy(np.stack([client(image)[0] for image in shown]))


def _warn_of_losses(board: str, result: FirmwareResult) -> None:
    """Records what came over the line; a figure that did not is missing in the record."""
    if result.inference_us is None:
        log.warning(
            "board %s: the time of the inference did not come over the serial line; it is not recorded", board
        )
    if result.disturbed:
        log.warning("board %s: the serial line disturbed %d bytes of what it said", board, result.disturbed)


def _printed(run: BoardRun) -> list[int]:
    """Logits by class, as far as the firmware said them."""
    return [logit for _, logit in sorted(run.result.logits.items())]
