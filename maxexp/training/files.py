"""The phases of a training, and the names of the files that it writes."""

FLOAT, QAT = "float", "qat"
"""Phases: floating point, then quantization-aware."""

RESUME_FILES = ("resume-0.ckpt", "resume-1.ckpt")
"""Written by turns: a kill while one is being stored leaves the other whole."""


def best_file(phase: str) -> str:
    """Returns the name of the file with the weights that a phase keeps."""
    return f"{phase}_best.pth.tar"
