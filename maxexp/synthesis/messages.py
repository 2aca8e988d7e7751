"""The synthesizer's error stream in our words: one line, layers by name, with a remedy where we know one."""

import re

from maxexp.network.graph import Network

REMEDIES = {
    r"Kernel memory exhausted": "its kernels do not fit; lower model.width, channels or quantization bits",
    r"exceeds data memory instance size": "use smaller images, pool earlier or use fewer channels",
    r"is overwriting input": "its output would overwrite what is still needed",
    r"bias memory capacity exhausted": "use fewer channels, or set bias: false",
    r"supports up to \d+ layers": "remove layers",
    r"assets folder is missing": "the checkout is incomplete; clone ai8x-synthesis again",
    r"[Uu]nknown key|does not match the checkpoint|Unsupported value": "the checkout is of a version we do not know",
    r"ModuleNotFoundError|ImportError": "remove the folder ai8x-* in the cache of maxexp, to have it made anew",
    r"MemoryError|Killed": "the machine has too little memory",
}


LONGEST = 500
"""Characters of a message; the synthesizer's own have fewer."""


def error_message(errors: str, network: Network) -> str:
    """The first error of a failed run, or the last line of a traceback.

    Args:
        errors: the error stream.
        network: the hardware sequence, for the names of layers.
    """
    lines = [line.strip() for line in errors.splitlines()]
    found = next((i for i, line in enumerate(lines) if line.startswith("ERROR:")), None)
    if found is not None:
        # The text may begin on the next line.
        text = lines[found].removeprefix("ERROR:").strip() or next(filter(None, lines[found + 1 :]), "no message")
    else:
        # Of a traceback the last line, and for a bare assertion what was asserted.
        words = [line for line in lines if line.strip("^~ ")] or ["no message"]
        text = " in ".join(reversed(words[-2:])) if words[-1] == "AssertionError" else words[-1]
    text = text[:LONGEST]
    names = [layer.name for layer in network]
    remedy = next((remedy for pattern, remedy in REMEDIES.items() if re.search(pattern, text)), None)
    return with_names(text, names) + (f" ({remedy})" if remedy else "")


def warnings(errors: str, network: Network) -> list[str]:
    """Returns what the synthesizer warns of, layers by name; notices are left out."""
    names = [layer.name for layer in network]
    lines = [line.removeprefix("WARNING:").strip() for line in errors.splitlines() if line.startswith("WARNING:")]
    return [with_names(line[:LONGEST], names) for line in dict.fromkeys(lines)]


def with_names(text: str, names: list[str]) -> str:
    """Rewrites ``Layer 3: ...`` as ``layer 3 (conv2_1): ...``."""

    def named(match: re.Match[str]) -> str:
        index = int(match[1])
        return f"layer {index} ({names[index]})" if index < len(names) else match[0]

    return re.sub(r"\b[Ll]ayer ([0-9]{1,3})\b", named, text)
