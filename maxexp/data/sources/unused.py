"""Files and folders of a data set that are not read, in words for a warning: a suffix, a place, a spelling."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path

SHOWN = 3
"""Names that a sentence gives."""


def unused_files(folders: Iterable[Path], read: Collection[Path], suffixes: Collection[str]) -> list[str]:
    """Sentences about files in class folders that are not read; hidden ones are no loss.

    Args:
        folders: of the classes.
        read: the files that are read.
        suffixes: of files that are, for the remedy.
    """
    taken = set(read)
    others = [path for folder in folders for path in _visible(folder) if path not in taken]
    nested = [path for path in others if path.is_dir()]
    kinds = Counter(path.suffix.lower() or "(no suffix)" for path in others if not path.is_dir())
    found = []
    if kinds:
        counts = ", ".join(f"{count} x {suffix}" for suffix, count in kinds.most_common(SHOWN))
        found.append(
            f"{kinds.total()} files in class folders are not read ({counts}); images are {' '.join(sorted(suffixes))}"
        )
    if nested:
        found.append(f"folders inside class folders are not read ({_names(nested)}); move their images up")
    return found


def unused_neighbours(folder: Path, used: Collection[str], suffixes: Collection[str]) -> list[str]:
    """Sentences on images beside the folders that are used, by name, and on folders with images, or with nothing."""
    others = [path for path in _visible(folder) if path.name not in used]
    folders = [path for path in others if path.is_dir()]
    empty = [path for path in folders if not any(path.iterdir())]
    further = [path for path in folders if _images(path, suffixes)]
    images = [path for path in others if not path.is_dir() and path.suffix.lower() in suffixes]
    found = []
    if empty:
        found.append(f"folders without any images are no classes ({_names(empty)})")
    if further:
        found.append(f"folders with images deeper inside, or of no split, are not read ({_names(further)})")
    if images:
        found.append(f"{len(images)} images that are in no class folder are not read ({_names(images)})")
    return found


def alike(names: Iterable[str]) -> list[str]:
    """A sentence on classes that differ in case, blanks or encoding alone, if there are some."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(spelling(name), []).append(name)
    doubtful = [group for group in groups.values() if len(group) > 1]
    if not doubtful:
        return []
    shown = "; ".join(" and ".join(map(repr, group)) for group in doubtful[:SHOWN])
    return [f"classes that differ in their spelling alone count as several ({shown}); rename one if they are one"]


def spelling(name: str) -> str:
    """Returns what names that look alike have in common."""
    plain = unicodedata.normalize("NFKC", name).casefold()
    return "".join(character for character in plain if character not in " _-.")


def _images(folder: Path, suffixes: Collection[str]) -> bool:
    """Tells whether a folder, or one in it, has images."""
    return any(path.suffix.lower() in suffixes for depth in ("*", "*/*") for path in folder.glob(depth))


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _names(paths: list[Path]) -> str:
    names = ["/".join(path.parts[-2:]) for path in paths[:SHOWN]]
    return ", ".join(names) + (f" and {len(paths) - SHOWN} more" if len(paths) > SHOWN else "")
