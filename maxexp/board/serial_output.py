"""What synthesized firmware says on its serial line (docs/hardware.md, Firmware), from a board or from the
emulator."""

import re
from dataclasses import dataclass, field

REPLACED = "\N{REPLACEMENT CHARACTER}"
_START = re.compile(r"\*\*\* CNN Inference Test ")
_VERDICT = re.compile(r"\*\*\* (PASS|FAIL) \*\*\*")
_TIME = re.compile(r"Approximate (?:data loading and )?inference time: ([0-9]{1,10}) us")
_CLASS = re.compile(r"\[ {0,12}(-?[0-9]{1,10})\] -> Class ([0-9]{1,5}): ([0-9]{1,3})\.([0-9])%")
_MISMATCH = re.compile(
    r"Data mismatch \(([0-9]{1,6})/([0-9]{1,6})\) at address 0x([0-9a-f]{8}): "
    r"Expected 0x([0-9a-f]{8}), read 0x([0-9a-f]{8})\."
)


@dataclass(frozen=True)
class Mismatch:
    """A word of the output that is not the known answer.

    Attributes:
        index, words: which one of how many words in a row, from 1.
        address: where it is.
        expected, found: its 32 bits.
    """

    index: int
    words: int
    address: int
    expected: int
    found: int


@dataclass(frozen=True)
class FirmwareResult:
    """The outcome of one run.

    Attributes:
        text: all that was said, line ends as ``\\n``.
        started: whether the start of a test was seen.
        passed: whether the output was the known answer; None if that was not said.
        inference_us: microseconds by the firmware's stopwatch, if it said them.
        logits: by class: the network's output.
        percent: by class: the firmware's base-2 softmax, which knows powers of two only.
        mismatches: words that differ.
        disturbed: bytes of the test's output that are no ASCII.
    """

    text: str
    started: bool
    passed: bool | None
    inference_us: int | None = None
    logits: dict[int, int] = field(default_factory=dict)
    percent: dict[int, float] = field(default_factory=dict)
    mismatches: list[Mismatch] = field(default_factory=list)
    disturbed: int = 0


def decode_serial(data: bytes) -> str:
    """Returns the text of what came over the line: bytes that are none become REPLACED, line ends are ``\\n``."""
    return data.decode("ascii", errors="replace").replace("\r", "")


def parse_output(text: str) -> FirmwareResult:
    """The result that a text contains; what is missing, cut off or garbled counts as not said.

    A board may still be sending from before its reset: only what follows the last start of a test counts.
    """
    starts = list(_START.finditer(text))
    recent = text[starts[-1].start() :] if starts else text
    verdict = _VERDICT.search(recent)
    time = _TIME.search(recent)
    classes = [[int(part) for part in found] for found in _CLASS.findall(recent)]
    mismatches = [(int(i), int(n), *(int(word, 16) for word in words)) for i, n, *words in _MISMATCH.findall(recent)]
    return FirmwareResult(
        text=text,
        started=bool(starts),
        passed=None if verdict is None else verdict[1] == "PASS",
        inference_us=None if time is None else int(time[1]),
        logits={number: logit for logit, number, _, _ in classes},
        percent={number: whole + tenth / 10 for _, number, whole, tenth in classes},
        mismatches=[Mismatch(*found) for found in mismatches],
        disturbed=recent.count(REPLACED),
    )
