"""Arithmetic and comparisons over figures of a study, e.g. ``qat.accuracy - ptq.accuracy > 0.01``."""

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

from maxexp.base.errors import ConfigError

_OPERATORS: dict[type, Callable] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
}
_FUNCTIONS: dict[str, Callable] = {"min": min, "max": max, "abs": abs}


LONGEST = 500
"""Characters of an expression; it can only be so deep then."""
MOST_PARENTHESES = 50
"""Of some hundred within each other Python says that it lacks memory."""


class FigureError(Exception):
    """A figure that an expression needs is not there (yet), or is no number."""


class Expression:
    """A parsed expression; anything but numbers, names, ``ROW.COLUMN``, arithmetic and comparisons is refused.

    Attributes:
        names: plain names, columns of the row at hand.
        attributes: pairs (row, column).

    Raises:
        ConfigError: it is not such an expression.
    """

    def __init__(self, text: str, key: str) -> None:
        self.text = text = " ".join(text.split())  # it may have lines in its file, and has none in messages
        if len(text) > LONGEST:
            raise ConfigError(
                f"{key}: {text[:20]!r}... is no expression: {len(text):,} characters, at most {LONGEST}"
            )
        if text.count("(") > MOST_PARENTHESES:
            raise ConfigError(f"{key}: {text[:20]!r}... is no expression: more than {MOST_PARENTHESES} parentheses")
        self._tree = _parsed(text, key)
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self._check(self._tree, key)

    def value(self, row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Any:
        """Evaluates with the figures of one row and of all rows.

        Raises:
            FigureError: a figure is not there, or no number, or the result is none.
        """
        try:
            value = self._evaluate(self._tree, row, rows)
            if not isfinite(value):
                raise FigureError(f"{self.text} is {value}")
        except ZeroDivisionError as error:
            raise FigureError("its check divides by 0") from error
        except OverflowError as error:
            raise FigureError(f"{self.text}: {error}") from error
        return value

    def _check(self, node: ast.AST, key: str) -> None:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            self.attributes.append((node.value.id, node.attr))
            return
        if isinstance(node, ast.Name):
            self.names.append(node.id)
            return
        if not self._allowed(node):
            raise ConfigError(
                f"{key}: {ast.unparse(node)!r} is not possible in {self.text!r}; allowed are numbers, columns, "
                "ROW.COLUMN, + - * /, comparisons, and, or, min and max of several, abs of one"
            )
        for part in _parts(node):
            self._check(part, key)

    def _allowed(self, node: ast.AST) -> bool:
        if isinstance(node, ast.Constant):
            return isinstance(node.value, (int, float))
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords:
                return False
            return len(node.args) == 1 if node.func.id == "abs" else len(node.args) > 1
        if isinstance(node, (ast.BinOp, ast.UnaryOp)):
            return type(node.op) in _OPERATORS
        if isinstance(node, ast.Compare):
            return all(type(op) in _OPERATORS for op in node.ops)
        return isinstance(node, ast.BoolOp)

    def _evaluate(self, node: ast.AST, row: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]]) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Name):
            return _figure(row, node.id, node.id)
        if isinstance(node, ast.Attribute):
            assert isinstance(node.value, ast.Name)
            return _figure(rows.get(node.value.id, {}), node.attr, f"{node.value.id}.{node.attr}")
        values = [self._evaluate(part, row, rows) for part in _parts(node)]
        if isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            return _FUNCTIONS[node.func.id](*values)
        if isinstance(node, ast.BoolOp):
            return all(values) if isinstance(node.op, ast.And) else any(values)
        if isinstance(node, ast.Compare):
            pairs = zip(node.ops, values, values[1:], strict=False)
            return all(_OPERATORS[type(op)](left, right) for op, left, right in pairs)
        assert isinstance(node, (ast.BinOp, ast.UnaryOp))
        return _OPERATORS[type(node.op)](*values)


def _parsed(text: str, key: str) -> ast.expr:
    try:
        with warnings.catch_warnings():
            # Of what Python may take for a mistake; whatever is none of ours is refused anyway.
            warnings.simplefilter("ignore")
            return ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        cause = error.msg if isinstance(error, SyntaxError) else error
        raise ConfigError(f"{key}: {text!r} is no expression: {cause}") from error


def _parts(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [node.left, node.right]
    if isinstance(node, ast.UnaryOp):
        return [node.operand]
    if isinstance(node, ast.Compare):
        return [node.left, *node.comparators]
    if isinstance(node, ast.BoolOp):
        return node.values
    return node.args if isinstance(node, ast.Call) else []


def _figure(row: Mapping[str, Any], key: str, shown: str) -> Any:
    if row.get(key) is None:
        raise FigureError(f"{shown} is missing")
    if not isinstance(row[key], (int, float)):
        raise FigureError(f"{shown} is no number: {row[key]}")
    return row[key]
