"""The text of ``sampledata.h``: one ``#define SAMPLE_INPUT_n { words }`` per array (docs/hardware.md, Firmware)."""

from __future__ import annotations

import re

import numpy as np

from maxexp.base.errors import CameraError
from maxexp.camera.layout import InputLayout

COLUMNS = 8
"""Words per line, as the maker's synthesizer has them."""

MAX_WORD = 0xFFFFFFFF

WORD = re.compile(r"0[xX][0-9a-fA-F]{1,40}|0[0-7]{0,40}|[1-9]\d{0,40}", re.ASCII)
"""A number in C: hexadecimal, octal behind a zero, or decimal."""

# Formatters put the brace on a line of its own, and each line but the last ends in a backslash.
DEFINITION = re.compile(r"#define\s+SAMPLE_INPUT_(\d{1,9})[\s\\]*\{([^}]*)\}")


def write_header(signed: np.ndarray, layout: InputLayout) -> str:
    """The header of one network input, which also says its layout in a comment.

    Args:
        signed: int8 of the layout's shape.
        layout: of the words.
    """
    parts = [f"// Network input, {layout}\n"]
    for number, words in layout.pack(signed).items():
        texts = [f"0x{word:08x}" for word in words]
        lines = [", ".join(texts[start : start + COLUMNS]) for start in range(0, len(texts), COLUMNS)]
        parts.append(f"#define SAMPLE_INPUT_{number} {{ \\\n  " + ", \\\n  ".join(lines) + " \\\n}\n")
    return "\n".join(parts)


def read_arrays(text: str) -> dict[int, np.ndarray]:
    """The arrays of a header, ours or the maker's: uint32, by their numbers.

    Raises:
        CameraError: there is none, or one holds something else than words.
    """
    found = DEFINITION.findall(text)
    arrays = {int(number): _words(number, body) for number, body in found}
    if len(arrays) < len(found):
        raise CameraError("it defines an array twice: give the sampledata.h of one project")
    if not arrays:
        raise CameraError("there is no '#define SAMPLE_INPUT_<n> { ... }' in it: give the sampledata.h of a project")
    return arrays


def _words(number: str, body: str) -> np.ndarray:
    tokens = re.sub(r"[\s\\]", "", body).rstrip(",").split(",")
    return np.array([_word(number, token) for token in tokens], np.uint32)


def _word(number: str, token: str) -> int:
    value = int(token, 8 if re.match(r"0\d", token) else 0) if WORD.fullmatch(token) else MAX_WORD + 1
    if value > MAX_WORD:
        raise CameraError(f"SAMPLE_INPUT_{number} holds {token[:20]!r} where a 32-bit number belongs")
    return value
