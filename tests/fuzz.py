"""Mutated inputs for every parser of outside bytes, and the guard that the parser runs under.

Each room has a ``test_mutated.py`` with its parsers. A few hundred inputs per parser belong to the suite; the
environment variables below take many more and record the figures (``experiments/reliability/parsers.py``).
"""

import json
import os
import random
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from maxexp.base.errors import MaxexpError

COUNT = int(os.environ.get("MAXEXP_FUZZ", "200"))
"""Mutated inputs for each parser."""
SEED = os.environ.get("MAXEXP_FUZZ_SEED", "0")
FIGURES = os.environ.get("MAXEXP_FUZZ_FIGURES")
"""A file that gets one line of JSON for each parser."""
SECONDS = float(os.environ.get("MAXEXP_FUZZ_SECONDS", "inf"))
"""After so long a parser gets no further inputs; its figures say how many there were."""

LIMIT_S = 2.0
"""Processor time that one input may take: a busy machine makes no difference."""
LIMIT_BYTES = 500 << 20
"""Memory that one input may take."""
ADDRESS_BYTES = 4 << 30
"""Addresses that one input may ask for: the machine survives a parser that asks for all there are."""

NUMBERS = (
    b"0",
    b"-1",
    b"1e30",
    b"-1e400",
    b"nan",
    b"inf",
    b"4294967296",
    b"9223372036854775808",
    b"9" * 5000,
    b"0x1",
    b"",
)
WORDS = (
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff\xfe",
    b"\xc3\xa9",
    "²".encode(),
    "٣".encode(),
    b"[",
    b"]",
    b"{",
    b"}",
    b"'",
    b'"',
)


class TooLong(BaseException):
    """Raised inside a parser that is over its time; no ``except Exception`` swallows it."""


@dataclass
class Figures:
    """What came of the inputs of one parser."""

    name: str
    inputs: int = 0
    accepted: int = 0
    refused: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: dict[str, Any] = field(default_factory=dict)
    slowest_s: float = 0.0
    most_bytes: int = 0

    def fault(self, kind: str, example: Any) -> None:
        self.faults[kind] += 1
        self.examples.setdefault(kind, example)

    def write(self, path: Path) -> None:
        plain = {
            "parser": self.name,
            "inputs": self.inputs,
            "accepted": self.accepted,
            "refused": self.refused,
            "faults": dict(self.faults),
            "slowest_s": round(self.slowest_s, 3),
            "most_mib": round(self.most_bytes / 2**20, 1),
        }
        with path.open("a") as file:
            file.write(json.dumps(plain) + "\n")


def mutated(good: Sequence[bytes], words: Sequence[bytes] = ()) -> Iterator[bytes]:
    """Endless variants of good inputs: bits flipped, pieces cut, inserted, doubled, spliced, numbers replaced.

    Args:
        words: what the format is made of; inserted, too.
    """
    draw = random.Random(f"{SEED} {len(good)}")
    while True:
        data = bytearray(draw.choice(good))
        for _ in range(draw.choice((1, 1, 1, 2, 4))):
            draw.choice(EDITS)(data, draw, good, words)
        yield bytes(data)


def _place(data: bytearray, draw: random.Random) -> int:
    """Often near the beginning, where headers are."""
    return draw.randrange(min(len(data), draw.choice((16, 128, len(data) + 1))) + 1)


def _flip(data: bytearray, draw: random.Random, *_: Any) -> None:
    if data:
        data[min(_place(data, draw), len(data) - 1)] ^= 1 << draw.randrange(8)


def _overwrite(data: bytearray, draw: random.Random, *_: Any) -> None:
    start = _place(data, draw)
    data[start : start + 4] = draw.choice((draw.randbytes(4), b"\0" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f"))


def _cut(data: bytearray, draw: random.Random, *_: Any) -> None:
    start = _place(data, draw)
    del data[start : start + draw.choice((1, 4, 40, len(data)))]


def _insert(data: bytearray, draw: random.Random, _: Any, words: Sequence[bytes]) -> None:
    start = _place(data, draw)
    data[start:start] = draw.choice((*WORDS, *words, *words, draw.randbytes(draw.randint(1, 8))))


def _duplicate(data: bytearray, draw: random.Random, *_: Any) -> None:
    start = _place(data, draw)
    data[start:start] = data[start : start + draw.choice((1, 8, 64))] * draw.choice((1, 1, 2, 50))


def _splice(data: bytearray, draw: random.Random, good: Sequence[bytes], _: Any) -> None:
    other = draw.choice(good)
    data[_place(data, draw) :] = other[draw.randrange(len(other) + 1) :]


def _renumber(data: bytearray, draw: random.Random, *_: Any) -> None:
    found = list(islice(re.finditer(rb"\d+", bytes(data)), 200))
    if found:
        start, end = draw.choice(found).span()
        data[start:end] = draw.choice(NUMBERS)


EDITS = (_flip, _overwrite, _cut, _insert, _duplicate, _splice, _renumber)


def fuzz(
    name: str, parse: Callable[[Any], object], inputs: Iterable[Any], good: Iterable[Any] = (), share: int = 1
) -> None:
    """Run a parser on inputs; only the project's own errors may come of it, in time and in little memory.

    Args:
        name: of the parser, for messages and figures.
        inputs: may be endless; COUNT of them are taken.
        good: inputs that the parser must take, so that the others are mutations of something.
        share: of a slow parser the suite tries one of so many of the usual number.
    """
    for each in good:
        parse(each)
    figures = Figures(name)
    end = time.monotonic() + SECONDS
    for each in islice(inputs, COUNT if FIGURES else COUNT // share):
        if time.monotonic() > end:
            break
        _try(parse, each, figures)
    if FIGURES:
        figures.write(Path(FIGURES))
    assert not figures.faults, f"{name}: {_told(figures)}"


def _told(figures: Figures) -> str:
    kinds = [f"{count} x {kind}, first by {figures.examples[kind]!r:.400}" for kind, count in figures.faults.items()]
    return f"of {figures.inputs} inputs " + "; ".join(kinds)


def _try(parse: Callable[[Any], object], given: Any, figures: Figures) -> None:
    figures.inputs += 1
    before, began = _peak_from_here(), time.process_time()
    try:
        with _limits():
            parse(given)
        figures.accepted += 1
    except MaxexpError as error:
        figures.refused += 1
        if _lacked_memory(error):
            figures.fault("memory, hidden by an error of ours", given)
        if "\n" in str(error):
            figures.fault("a message of several lines", given)
    except TooLong:
        figures.fault(f"over {LIMIT_S:g} s", given)
    except Exception as error:
        figures.fault(f"{type(error).__name__}: {str(error)[:80]}", given)
    taken = _peak() - before
    figures.slowest_s = max(figures.slowest_s, time.process_time() - began)
    figures.most_bytes = max(figures.most_bytes, taken)
    if taken > LIMIT_BYTES:
        figures.fault(f"over {LIMIT_BYTES >> 20} MiB", given)


@contextmanager
def _limits() -> Iterator[None]:
    """Processor time and addresses are bounded within."""

    def stop(*_: object) -> None:
        raise TooLong

    earlier = signal.signal(signal.SIGPROF, stop)
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESS_BYTES, hard))
    # Again and again: where nothing may be raised, as in a destructor, the first is lost.
    signal.setitimer(signal.ITIMER_PROF, LIMIT_S, 0.1)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, earlier)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _lacked_memory(error: BaseException | None) -> bool:
    """Whether an error stands for a lack of memory, which the user's machine may not have had."""
    while error is not None:
        if isinstance(error, MemoryError) or "allocate" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _peak_from_here() -> int:
    """The process's memory; peaks are counted from now on."""
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    """The most memory that the process has had, in bytes."""
    text = Path("/proc/self/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) * 1024
