"""No garbage collection while libraries are imported: it takes a fifth of the time to the first training step.

Imports make a million objects that stay, and Python searches them again and again for those that do not.
"""

import atexit
import gc


def pause() -> None:
    """Collects nothing until :func:`resume`."""
    gc.disable()


def resume() -> None:
    """Collects again, but not among what is there now; without effect if nothing was paused."""
    if gc.isenabled():
        return
    gc.freeze()
    # Extension modules complain about objects that are still frozen when Python ends.
    atexit.register(gc.unfreeze)
    gc.enable()
