"""A part of the MAX7800x family in software: the same firmware runs on it as on the part.

Everything is decoded from what the firmware writes to registers and memories. A pattern whose meaning is not
known ends the run with an error. The model is functional: each layer is computed as a whole, in exact
integers; time passes by the maker's cycle formula, so it says nothing about silicon's own timing.
"""
