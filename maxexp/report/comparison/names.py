"""Names of runs, short enough to be read beside one another."""

from collections.abc import Sequence


def common_words(names: Sequence[str]) -> list[str]:
    """Words that all of several names have, in the order of the first; they tell no run from another.

    None where nothing would be left of a name.
    """
    words = [name.split() for name in names]
    common = [word for word in words[0] if all(word in other for other in words)] if len(words) > 1 else []
    return common if all(set(each) - set(common) for each in words) else []


def without(name: str, words: Sequence[str]) -> str:
    """A name without some of its words."""
    return " ".join(word for word in name.split() if word not in words) if words else name
