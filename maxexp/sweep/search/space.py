"""A search space in Hydra's override syntax, as Optuna's distributions."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import inf
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    distribution_to_json,
    json_to_distribution,
)

from maxexp.base.errors import ConfigError
from maxexp.run.explain import explain
from maxexp.run.typed_overrides import as_typed
from maxexp.schema.config import Config
from maxexp.sweep.search.distributions import Value, read_distribution

if TYPE_CHECKING:
    from hydra.core.config_loader import ConfigLoader

Draw = Callable[["Parameter"], Value]
"""Gives a parameter its value."""

ALWAYS = "always"
"""The condition of parameters that have none."""


@dataclass(frozen=True)
class Parameter:
    """One key that is searched.

    Attributes:
        name: in the study; the key, with its condition where several conditions share the key.
        key: of the override, with ``+`` where the user wrote one.
        distribution: Optuna's.
        texts: by value of a choice, how it is written in an override.
        only_if: name and value of the choice that must have been drawn; None: always.
    """

    name: str
    key: str
    distribution: BaseDistribution
    texts: Mapping[Value, str]
    only_if: tuple[str, Value] | None = None

    def override(self, value: Value) -> str:
        """The command-line override that sets the value."""
        if isinstance(value, float) and value not in self.texts:
            value = float(f"{value:.12g}")  # 0.30000000000000004 is 0.3
        return f"{self.key}={self.texts.get(value, value)}"

    def values(self) -> Sequence[Value]:
        """All values of a finite parameter; the two ends of an interval."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return list(d.choices)
        if isinstance(d, IntDistribution):
            return range(d.low, d.high + 1, d.step)
        assert isinstance(d, FloatDistribution)
        if d.step is None:
            return [d.low, d.high]
        low, step = Decimal(repr(d.low)), Decimal(repr(d.step))
        return [float(low + i * step) for i in range(self.count)]

    @property
    def count(self) -> int:
        """Returns the number of values of a finite parameter."""
        d = self.distribution
        if isinstance(d, CategoricalDistribution):
            return len(d.choices)
        if isinstance(d, IntDistribution):
            return (d.high - d.low) // d.step + 1
        assert isinstance(d, FloatDistribution) and d.step is not None
        return round((d.high - d.low) / d.step) + 1

    @property
    def finite(self) -> bool:
        return not (isinstance(self.distribution, FloatDistribution) and self.distribution.step is None)

    def __contains__(self, value: object) -> bool:
        """Tells whether the parameter can have this value."""
        d = self.distribution
        if isinstance(d, IntDistribution):  # which may have more values than memory
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and int(value) in self.values()  # type: ignore[call-overload]
        if self.finite:
            return value in self.values()
        low, high = self.values()
        return isinstance(value, (int, float)) and low <= value <= high  # type: ignore[operator]


@dataclass(frozen=True)
class Space:
    """All parameters, each after the choice that it depends on.

    Attributes:
        parameters: what is searched.
        fixed: overrides that came along with the search space, the same for each trial.
    """

    parameters: tuple[Parameter, ...]
    fixed: tuple[str, ...] = ()

    def draw(self, draw: Draw) -> dict[str, Value]:
        """One point; parameters whose condition does not hold are left out."""
        point: dict[str, Value] = {}
        for parameter in self.parameters:
            if _holds(parameter, point):
                point[parameter.name] = draw(parameter)
        return point

    def whole(self, point: Mapping[str, Value]) -> bool:
        """Tells whether a point has every parameter."""
        return all(p.name in point for p in self.parameters if _holds(p, point))

    def to_plain(self) -> list[dict[str, Any]]:
        """The parameters as JSON has them, for the study."""
        return [
            {
                "name": p.name,
                "key": p.key,
                "distribution": distribution_to_json(p.distribution),
                "texts": list(p.texts.items()),
                "only_if": p.only_if,
            }
            for p in self.parameters
        ]

    @classmethod
    def from_plain(cls, plain: Sequence[Mapping[str, Any]]) -> Space:
        """Returns what :meth:`to_plain` wrote."""
        return cls(
            tuple(
                Parameter(
                    p["name"],
                    p["key"],
                    json_to_distribution(p["distribution"]),
                    {value: text for value, text in p["texts"]},
                    tuple(p["only_if"]) if p["only_if"] else None,
                )
                for p in plain
            )
        )

    def overrides(self, point: Mapping[str, Value]) -> list[str]:
        """Returns the overrides that set the parameters of a point."""
        return [p.override(point[p.name]) for p in self.parameters if p.name in point]

    @property
    def size(self) -> float:
        """Returns the number of points; infinite with an interval."""
        return self._count(0, {}) if all(p.finite for p in self.parameters) else inf

    def by_condition(self) -> dict[str, list[str]]:
        """Returns the names of parameters by the condition under which they are searched."""
        names: dict[str, list[str]] = {}
        for parameter in self.parameters:
            condition = f"{parameter.only_if[0]}={parameter.only_if[1]}" if parameter.only_if else ALWAYS
            names.setdefault(condition, []).append(parameter.name)
        return names

    def points(self) -> Iterator[dict[str, Value]]:
        """All points of a finite space, the last parameter changing fastest."""
        yield from self._points(0, {})

    def samples(self) -> Iterator[dict[str, Value]]:
        """Points that together have each value of a choice and both ends of each number, and few more."""
        branches = [p for p in self.parameters if p.name in self._branches]
        longest = max((len(self._ends(p)) for p in self.parameters if p not in branches), default=1)
        for combination in itertools.product(*(p.values() for p in branches)):
            chosen = {p.name: value for p, value in zip(branches, combination, strict=True)}
            for turn in range(longest):
                point: dict[str, Value] = {}
                for p in self.parameters:
                    if _holds(p, point):
                        ends = self._ends(p)
                        point[p.name] = chosen[p.name] if p.name in chosen else ends[min(turn, len(ends) - 1)]
                yield point

    @property
    def _branches(self) -> set[str]:
        """Returns the names of the choices on which others depend."""
        return {p.only_if[0] for p in self.parameters if p.only_if}

    def _count(self, index: int, point: dict[str, Value]) -> int:
        if index == len(self.parameters):
            return 1
        parameter = self.parameters[index]
        if not _holds(parameter, point):
            return self._count(index + 1, point)
        if parameter.name not in self._branches:
            return parameter.count * self._count(index + 1, point)
        return sum(self._count(index + 1, {**point, parameter.name: value}) for value in parameter.values())

    @staticmethod
    def _ends(parameter: Parameter) -> Sequence[Value]:
        d = parameter.distribution
        if isinstance(d, CategoricalDistribution):
            return parameter.values()
        assert isinstance(d, (IntDistribution, FloatDistribution))
        return [d.low, d.high]

    def _points(self, index: int, point: dict[str, Value]) -> Iterator[dict[str, Value]]:
        if index == len(self.parameters):
            yield dict(point)
            return
        parameter = self.parameters[index]
        if not _holds(parameter, point):
            yield from self._points(index + 1, point)
            return
        for value in parameter.values():
            yield from self._points(index + 1, {**point, parameter.name: value})


def _holds(parameter: Parameter, point: Mapping[str, Value]) -> bool:
    if parameter.only_if is None:
        return True
    name, value = parameter.only_if
    return name in point and point[name] == value


def parse_space(
    params: Mapping[str, Any],
    when: Mapping[str, Mapping[str, Any]],
    arguments: Sequence[str],
    config_loader: ConfigLoader | None = None,
) -> Space:
    """Reads a search space.

    Args:
        params: of the preset, by key; a value that is not a space is the same for each trial.
        when: further ones by condition, ``KEY=VALUE`` of a choice that stands before.
        arguments: of the command line; a key given there counts instead of the preset's.
        config_loader: Hydra's, for ``glob(...)``.

    Raises:
        ConfigError: something that is no override, a space that cannot be searched, an unknown condition.
    """
    parser = OverridesParser.create(config_loader=config_loader)
    typed = _parse(parser, arguments)
    settled = {override.key_or_group for override in typed}
    preset = [o for o in _parse(parser, _lines(params)) if o.key_or_group not in settled]
    found = [*preset, *typed]
    parameters = [_parameter(o, None, o.key_or_group) for o in found if o.is_sweep_override()]
    fixed = [o for o in found if not o.is_sweep_override()]
    _check_once([*(p.name for p in parameters), *{o.key_or_group for o in fixed}])
    possible = _possible(when, parameters, fixed, settled)
    conditional = [(text, override) for text in possible for override in _parse(parser, _lines(when[text]))]
    blocks = [(text, override) for text, override in conditional if override.key_or_group not in settled]
    keys = [*(p.name for p in parameters), *(o.key_or_group for _, o in blocks)]
    for text, override in blocks:
        key = override.key_or_group
        if not override.is_sweep_override():
            raise ConfigError(f"hydra.sweeper.when.{text}.{key}: give a choice, a range or an interval")
        parameters.append(_parameter(override, possible[text], f"{key} [{text}]" if keys.count(key) > 1 else key))
    _check_once([p.name for p in parameters])
    return Space(tuple(parameters), tuple(map(_plain, fixed)))


def _check_once(names: Sequence[str]) -> None:
    """Refuses a key that is searched and given a second time: one of the two would be dropped."""
    for name, count in Counter(names).items():
        if count > 1:
            raise ConfigError(f"{name}: searched, and given twice; give it once, with all its values")


def _possible(
    when: Mapping[str, Mapping[str, Any]],
    parameters: Sequence[Parameter],
    fixed: Sequence[Override],
    typed: Container[str],
) -> dict[str, tuple[str, Value] | None]:
    """The conditions that can hold, with the choice that they need; None where they always do.

    The command line may have narrowed the choice: to other values, or to a single one.
    """
    single = {override.key_or_group: (override.value(), override.get_value_element_as_str()) for override in fixed}
    choices = {parameter.name: parameter.texts for parameter in parameters}
    possible: dict[str, tuple[str, Value] | None] = {}
    for text in when:
        key, _, value = text.partition("=")
        if key in single:
            if value in single[key]:
                possible[text] = None
            continue
        if key in typed and not _written(value, choices.get(key, {})):
            continue
        possible[text] = _condition(text, parameters)
    return possible


def _written(written: str, texts: Mapping[Value, str]) -> list[Value]:
    """The value of a choice that is written so, with quotes or without; none if it has no such value."""
    return [value for value, how in texts.items() if written in (how, value)][:1]


def _lines(params: Mapping[str, Any]) -> list[str]:
    return [f"{key}={'null' if value is None else value}" for key, value in params.items()]


def _parse(parser: OverridesParser, lines: Sequence[str]) -> list[Override]:
    try:
        return parser.parse_overrides(as_typed(lines))
    except (HydraException, ValueError) as error:  # as of whole numbers with thousands of digits
        raise ConfigError(explain(error, Config)) from error


def _plain(override: Override) -> str:
    # As the user typed it: quotes and interpolations stay what they are.
    return override.input_line or f"{override.get_key_element()}={override.get_value_element_as_str()}"


def _condition(text: str, parameters: Sequence[Parameter]) -> tuple[str, Value]:
    key, _, written = text.partition("=")
    choices = {p.name: p for p in parameters if isinstance(p.distribution, CategoricalDistribution)}
    if key not in choices:
        known = ", ".join(choices) or "none"
        raise ConfigError(f"hydra.sweeper.when.{text}: {key} is not a choice of this sweep; choices are: {known}")
    if found := _written(written, choices[key].texts):
        return key, found[0]
    allowed = ", ".join(choices[key].texts.values())
    raise ConfigError(f"hydra.sweeper.when.{text}: {key} is never {written}; it is one of {allowed}")


def _parameter(override: Override, only_if: tuple[str, Value] | None, name: str) -> Parameter:
    distribution, texts = read_distribution(override)
    return Parameter(name, override.get_key_element(), distribution, texts, only_if)
