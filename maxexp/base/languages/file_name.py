"""A key or a name as the name of a file."""

import hashlib
import string

_PLAIN = frozenset(string.ascii_letters + string.digits + "_-.")
_LONGEST = 100
"""Characters: file systems take 255 bytes, and endings follow."""


def file_name(text: str) -> str:
    """Returns the name of a file for a text: the text itself where it is plain, other texts as others.

    Letters of ASCII, digits and ``_-.`` stay; every other byte is ``~`` and its number, so that the name is one part
    of a path, of an artifact's address (where MLflow refuses ``%`` and ``#``) and of a link. A dot or a dash does not
    begin it. The end of a long one is a digest.
    """
    encoded = [
        character if character in _PLAIN and not (position == 0 and character in ".-") else _escaped(character)
        for position, character in enumerate(text)
    ]
    name = "".join(encoded)
    if not name:
        return "~"
    if len(name) <= _LONGEST:
        return name
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{name[: _LONGEST - 18]}~~{digest}"


def _escaped(character: str) -> str:
    return "".join(f"~{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
