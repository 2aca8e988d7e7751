"""Keys of a configuration that change no result: where things are, and how a machine is used.

A user's own images may be others under another ``dataset.root``, or later; ``own_images`` tells them apart.

Prefixes of flattened keys; those of a whole group end in a dot.
"""

PLACES = (
    "tracking.",
    "dataset.root",
    "dataset.cache_dir",
    "synthesis.path",
    "synthesis.python",
    "board.connection.",
)
"""Where things are on the machine that makes a run: left out of the command that repeats it elsewhere."""

FREE = (*PLACES, "dataset.download", "trainer.progress", "trainer.threads")
"""And how the machine is used: left out of names and comparisons, and free to be given anew when a run goes on.

The command keeps these: sums of floating-point numbers come out the same with the same number of threads only.
"""
