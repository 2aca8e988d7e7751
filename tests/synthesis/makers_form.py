"""The C files of a project in the form that the maker's synthesizer gives them, with what we would write."""

from collections import defaultdict
from pathlib import Path

from maxexp.synthesis.native.configuration import Configuration
from maxexp.synthesis.native.stores import kernel_blocks, register_stores


def write_makers_form(project: Path, x: Configuration) -> None:
    """``cnn.c`` and ``weights.h``."""
    part = x.memory.part
    registers = "\n".join(
        f"  *((volatile uint32_t *) 0x{address:08x}) = 0x{value:08x}; // Rows" for address, value, _ in register_stores(x)
    )
    biases = "\n".join(
        f"  memcpy_8to32((uint32_t *) 0x{part.quadrant_address(q) + part.addresses.biases:08x}, bias_{q}, sizeof(uint8_t));"
        for q in x.biases
    )
    (project / "cnn.c").write_text(
        "int cnn_init(void)\n{\n  *((volatile uint32_t *) 0x50001000) = 0x00000000; // AON control\n}\n\n"
        f"int cnn_load_bias(void)\n{{\n{biases}\n}}\n\nint cnn_configure(void)\n{{\n{registers}\n\n  return CNN_OK;\n}}\n"
    )
    arrays = defaultdict(list)
    for address, words in kernel_blocks(x):
        arrays["KERNELS"] += [address, len(words), *words.tolist()]
    arrays["KERNELS"].append(0)
    arrays |= {f"BIAS_{q}": [int(value) & 0xFF for value in values] for q, values in x.biases.items()}
    texts = [f"#define {name} {{ \\\n  {', '.join(map(hex, values))} \\\n}}\n" for name, values in arrays.items()]
    (project / "weights.h").write_text("".join(texts))
