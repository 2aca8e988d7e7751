"""Files of others, read up to a size that no sound one has."""

from pathlib import Path

from maxexp.base.errors import FormatError


def read_bounded(path: Path, most: int) -> bytes:
    """The content of a file of at most ``most`` bytes; also of a pipe or a device, which have no size.

    Raises:
        FormatError: it has more; does not name the file.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise FormatError(f"it has more than {most:,} bytes, which nothing of this kind has; give another file")
    return content
