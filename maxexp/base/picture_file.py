"""Pictures of others: decoded as they are meant to be seen, within bounds, and by their own format only."""

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from maxexp.base.errors import FormatError

FORMATS = ("PNG", "JPEG", "BMP", "DIB", "WEBP", "GIF", "TIFF", "PPM")
"""What a picture's content may be, whatever its suffix says; for others PIL would start other programs."""
MAX_PIXELS = 64 << 20
"""More than most cameras take; a file of some kilobytes may announce any number."""


def read_picture(source: Path | bytes) -> Image.Image:
    """A picture from a file or its content, turned as its EXIF orientation says: cameras store it as they were held.

    Raises:
        FormatError: it is no picture, damaged, or larger than MAX_PIXELS; the message is the cause alone.
        OSError: the file cannot be read.
    """
    try:
        with warnings.catch_warnings(), Image.open(_opened(source), formats=FORMATS) as file:
            # Of damage beside the pixels, which PIL can do without.
            warnings.simplefilter("ignore")
            if file.width * file.height > MAX_PIXELS:
                raise FormatError(f"{file.width}x{file.height} pixels, more than the {MAX_PIXELS:,} that are decoded")
            return ImageOps.exif_transpose(file)
    except FormatError:
        raise
    except Exception as error:  # PIL raises a dozen types for files that are not whole
        if isinstance(error, OSError) and error.errno is not None:
            raise
        cause = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise FormatError(cause) from error


def _opened(source: Path | bytes) -> Path | io.BytesIO:
    return io.BytesIO(source) if isinstance(source, bytes) else source
