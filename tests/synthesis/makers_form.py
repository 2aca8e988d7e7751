"""The C files of a project in the form that the maker's synthesizer gives them, with what we would write."""

from collections import defaultdict
from pathlib import Path

from maxexp.synthesis.native.configuration import Configuration
from maxexp.synthesis.native.stores import kernel_blocks, register_stores


def write_makers_form(project: Path, x: Configuration) -> None:
    """``cnn.c`` and ``weights.h``."""
    part = x.memory.part
    registers = "".join(
        f"  *((volatile uint32_t *) 0x{address:08x}) = 0x{value:08x}; // Rows\n"
        for address, value, _ in register_stores(x)
    )
    starts = {q: part.quadrant_address(q) + part.addresses.biases for q in x.biases}
    biases = "".join(
        f"  memcpy_8to32((uint32_t *) 0x{start:08x}, bias_{q}, sizeof(uint8_t) * {len(x.biases[q])});\n"
        for q, start in starts.items()
    )
    functions = {
        "init": "  *((volatile uint32_t *) 0x50001000) = 0x00000000; // AON control\n",
        "load_bias": biases,
        "configure": registers,
    }
    texts = [f"int cnn_{name}(void)\n{{\n{body}\n  return CNN_OK;\n}}\n" for name, body in functions.items()]
    (project / "cnn.c").write_text("\n".join(texts))
    arrays = defaultdict(list)
    for address, words in kernel_blocks(x):
        arrays["KERNELS"] += [address, len(words), *words.tolist()]
    arrays["KERNELS"].append(0)
    arrays |= {f"BIAS_{q}": [int(value) & 0xFF for value in values] for q, values in x.biases.items()}
    texts = [f"#define {name} {{ \\\n  {', '.join(map(hex, values))} \\\n}}\n" for name, values in arrays.items()]
    (project / "weights.h").write_text("".join(texts))
