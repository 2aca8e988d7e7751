"""Overrides whose values are texts, as they were typed: ``2026_11_30`` is no number where a name is wanted."""

from collections.abc import Iterator, Sequence
from dataclasses import is_dataclass
from typing import Annotated, Any

from antlr4 import CommonTokenStream, InputStream
from hydra.core.override_parser.overrides_visitor import HydraErrorListener
from hydra.errors import HydraException
from hydra.grammar.gen.OverrideLexer import OverrideLexer
from hydra.grammar.gen.OverrideParser import OverrideParser

from maxexp.base.text_keys import TEXTS, inner_kind, is_text, kind_of
from maxexp.run.explain import SWEEPER_GROUPS

NULL = "null"
"""What takes a value away; in other spellings it is a text."""

_CHOICES = ("choice", "sort", "shuffle")
"""Functions of Hydra whose arguments are values."""

_LITERALS = (OverrideLexer.INT, OverrideLexer.FLOAT, OverrideLexer.BOOL, OverrideLexer.NULL)


def as_typed(overrides: Sequence[str]) -> list[str]:
    """Returns overrides with quotes around what Hydra would read a number in although the key holds a text.

    Keys that hold texts are those of the schemas that :func:`maxexp.base.text_keys.declare` knows, and groups, whose
    options are names of files. What is no override stays as it is: Hydra says why.
    """
    return [_quoted(line) if "=" in line else line for line in overrides]


def _quoted(line: str) -> str:
    kind = _kind(line.partition("=")[0].strip())
    if kind in (int, float, bool):
        return line
    try:
        value = _parsed(line).value()
    except HydraException:
        return line
    if value is None:
        return line
    spans = list(_literals(value, kind))
    for first, last in reversed(spans):
        line = f"{line[:first]}'{line[first : last + 1]}'{line[last + 1 :]}"
    return line


def _kind(key: str) -> Any:
    """The type of what an override sets; options of groups are texts."""
    group, at, _ = key.lstrip("+~").partition("@")
    kind = kind_of(group)
    # What is added to the configuration and is no key of it can only be a group.
    added = kind is None and key.startswith("+") and "." not in group
    return Annotated[Any, TEXTS] if at or added or "/" in group or group in SWEEPER_GROUPS else kind


def _parsed(line: str) -> OverrideParser.OverrideContext:
    listener = HydraErrorListener()
    lexer = OverrideLexer(InputStream(line))
    parser = OverrideParser(CommonTokenStream(lexer))
    for each in (lexer, parser):
        each.removeErrorListeners()
        each.addErrorListener(listener)
    return parser.override()


def _literals(node: Any, kind: Any) -> Iterator[tuple[int, int]]:
    """Positions of the first and last characters of numbers and the like that stand for texts, from left to right."""
    if isinstance(node, OverrideParser.PrimitiveContext):
        if is_text(kind) or is_dataclass(kind):
            yield from _literal(node)
    elif isinstance(node, OverrideParser.FunctionContext):
        yield from _arguments(node, kind)
    elif isinstance(node, OverrideParser.ListContainerContext):
        for child in node.element():
            yield from _literals(child, inner_kind(kind, ["0"]))
    elif isinstance(node, OverrideParser.DictKeyValuePairContext):
        yield from _literals(node.element(), inner_kind(kind, [node.dictKey().getText().strip()]))
    else:
        for child in getattr(node, "children", None) or ():
            yield from _literals(child, kind)


def _literal(node: OverrideParser.PrimitiveContext) -> Iterator[tuple[int, int]]:
    tokens = [child.symbol for child in node.getChildren() if child.symbol.type != OverrideLexer.WS]
    if len(tokens) == 1 and tokens[0].type in _LITERALS and tokens[0].text != NULL:
        yield tokens[0].start, tokens[0].stop


def _arguments(node: OverrideParser.FunctionContext, kind: Any) -> Iterator[tuple[int, int]]:
    name = node.ID().getText()
    named = False
    for child in node.getChildren():
        value = isinstance(child, OverrideParser.ElementContext) and not named
        # Of a tag's arguments only a function is a value: the others are the tags.
        if value and (name in _CHOICES or (name == "tag" and child.function())):
            yield from _literals(child, kind)
        named = isinstance(child, OverrideParser.ArgNameContext)
