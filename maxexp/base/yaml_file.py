"""YAML of others: read as OmegaConf reads it, within bounds, and every fault of it is a YAMLError with its place.

YAML is a language of its own: a kilobyte of references to references unfolds to gigabytes, an integer may have
five thousand digits, which Python refuses, and lists may be nested until its stack overflows.
"""

from pathlib import Path
from typing import IO, Any

import yaml
from omegaconf._utils import get_yaml_loader
from yaml.constructor import ConstructorError
from yaml.reader import ReaderError

from maxexp.base.bounded import read_bounded
from maxexp.base.errors import FormatError

MOST_BYTES = 1 << 18
"""Of a file; the largest of ours has 20 KiB."""
MOST_NODES = 10_000
"""Values and keys of a document, its references unfolded."""
DEEPEST = 50
"""Levels of nesting."""

_Loader: type[yaml.SafeLoader] = get_yaml_loader()


class BoundedLoader(_Loader):  # type: ignore[misc, valid-type]
    """OmegaConf's loader, with bounds; raises YAMLErrors only.

    Args:
        stream: text or UTF-8, or a file with it; at most MOST_BYTES of it are read.
        name: of the file that a text is from, for errors.
    """

    def __init__(self, stream: str | bytes | IO, name: str | None = None) -> None:
        content = stream if isinstance(stream, (str, bytes)) else read_text(stream)
        if len(content) > MOST_BYTES:
            raise yaml.YAMLError(f"more than {MOST_BYTES:,} bytes, which no configuration has")
        name = name or getattr(stream, "name", None)
        try:
            super().__init__(content)
        except ReaderError as error:
            error.name = name or error.name
            raise
        if name:
            self.name = name
        self._sizes: dict[yaml.Node, int] = {}
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        referred = self.check_event(yaml.AliasEvent)
        mark = self.peek_event().start_mark
        self._depth += 1
        if self._depth > DEEPEST:
            raise ConstructorError(None, None, f"more than {DEEPEST} levels of nesting", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if node is not None and not referred:
            self._sizes[node] = 1 + sum(self._size(part, mark) for part in _parts(node))
            if self._sizes[node] > MOST_NODES:
                raise ConstructorError(None, None, f"it unfolds to more than {MOST_NODES:,} values", mark)
        return node

    def _size(self, node: yaml.Node, mark: yaml.Mark) -> int:
        """Values in a node; one that is not whole yet contains itself."""
        if node not in self._sizes:
            raise ConstructorError(None, None, "a value that contains itself", mark)
        return self._sizes[node]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, TypeError, OverflowError, LookupError, AttributeError) as error:
            # Of numbers that Python does not take, and of tags that do not fit what they stand before.
            raise ConstructorError(None, None, f"{node.tag} cannot be read: {error}", node.start_mark) from error


def _parts(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return node.value if isinstance(node, yaml.SequenceNode) else []


def read_text(file: IO) -> Any:
    """The text of an open file, up to one character beyond the bound.

    Raises:
        YAMLError: it is no UTF-8.
    """
    try:
        return file.read(MOST_BYTES + 1)
    except UnicodeDecodeError as error:
        raise yaml.YAMLError(f"it is no UTF-8 text: {error}") from error


def read_yaml(path: Path) -> Any:
    """The content of a YAML file: mappings, lists, texts, numbers; None where it is empty.

    Raises:
        FormatError: it is no YAML, or beyond all bounds; names the place, and the file where it can.
        OSError: it cannot be read.
    """
    try:
        return yaml.load(read_bounded(path, MOST_BYTES), Loader=BoundedLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise FormatError(f"it is no YAML: {' '.join(str(error).split())}") from error
