"""Ctrl-C and SIGTERM that a library turns into something else.

Hydra, for one, has a ``finally`` that raises an UnboundLocalError where a file was just being opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager


def interruption_behind(error: BaseException) -> KeyboardInterrupt | None:
    """Returns the KeyboardInterrupt during or from which an exception was raised; None if there is none."""
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        link = left.pop()
        if link is None or id(link) in seen:
            continue
        if isinstance(link, KeyboardInterrupt):
            return link
        seen.add(id(link))
        left += [link.__cause__, link.__context__]
    return None


@contextmanager
def interruptions_kept() -> Iterator[None]:
    """Lets an interruption out of the block as what it is, whatever the block makes of it.

    Raises:
        KeyboardInterrupt: of this kind, what has interrupted the block.
    """
    try:
        yield
    except Exception as error:
        if (interruption := interruption_behind(error)) is None:
            raise
        raise type(interruption)(*interruption.args) from error
