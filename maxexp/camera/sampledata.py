"""The text of ``sampledata.h``: one ``#define SAMPLE_INPUT_n { words }`` per array (hardware.md 6.2)."""

from __future__ import annotations

import re

import numpy as np

from maxexp.base.errors import CameraError
from maxexp.camera.layout import InputLayout

COLUMNS = 8
"""Words per line, as the maker's synthesizer has them."""

MAX_WORD = 0xFFFFFFFF

# Formatters put the brace on a line of its own, and each line but the last ends in a backslash.
DEFINITION = re.compile(r"#define\s+SAMPLE_INPUT_(\d+)[\s\\]*\{([^}]*)\}")


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
    arrays = {int(number): _words(number, body) for number, body in DEFINITION.findall(text)}
    if not arrays:
        raise CameraError("there is no '#define SAMPLE_INPUT_<n> { ... }' in it: give the sampledata.h of a project")
    return arrays


def _words(number: str, body: str) -> np.ndarray:
    tokens = re.sub(r"[\s\\]", "", body).rstrip(",").split(",")
    for token in tokens:
        if not re.fullmatch(r"0[xX][0-9a-fA-F]+|\d+", token) or int(token, 0) > MAX_WORD:
            raise CameraError(f"SAMPLE_INPUT_{number} holds {token[:20]!r} where a 32-bit number belongs")
    return np.array([int(token, 0) for token in tokens], np.uint32)
