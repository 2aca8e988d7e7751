"""A command line that is printed to be pasted into a shell."""

import shlex
from collections.abc import Iterable

from maxexp.base.languages.printable import printable


def shell_command(words: Iterable[str]) -> str:
    """Returns a command line on one line that bash, or a shell like it, splits into these words again."""
    return " ".join(map(shell_word, words))


def shell_word(word: str) -> str:
    r"""Returns one word for a shell: quoted where it must be, as ``$'a\nb'`` where it holds what cannot be seen."""
    if printable(word) == word:
        return shlex.quote(word)
    return "$'" + "".join(map(_escaped, word)) + "'"


def _escaped(character: str) -> str:
    if character in "\\'":
        return f"\\{character}"
    if printable(character) == character:
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))
