"""What one parameter is searched in: a choice, range or interval of Hydra's as a distribution of Optuna's."""

from __future__ import annotations

import re
from decimal import Decimal
from math import floor, isfinite
from typing import Any

from hydra.core.override_parser.types import IntervalSweep, Override, QuotedString, RangeSweep, Sweep
from hydra.errors import HydraException
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution

from maxexp.base.errors import ConfigError

Value = None | bool | int | float | str

MOST_VALUES = 1_000_000
"""Of one range."""
LARGEST = 2**53
"""Of whole numbers: samplers compute in floating point."""


def read_distribution(override: Override) -> tuple[BaseDistribution, dict[Value, str]]:
    """Returns what an override searches, and by value of a choice how it is written in an override.

    Raises:
        ConfigError: it cannot be searched, or not as it is written.
    """
    line, value = override.input_line, override.value()
    try:
        if override.is_choice_sweep():
            texts = _choices(override)
            return CategoricalDistribution(list(texts)), texts
        if isinstance(value, RangeSweep):
            return _range(value, str(line)), {}
        if isinstance(value, IntervalSweep):
            return _interval(value), {}
    except (ValueError, TypeError, ArithmeticError, HydraException) as error:
        raise ConfigError(f"{line}: {' '.join(str(error).split())}") from error
    raise ConfigError(f"{line}: cannot be searched; give a choice, a range or an interval")


def _choices(override: Override) -> dict[Value, str]:
    texts: dict[Value, str] = {}
    sweep = override.value()
    if isinstance(sweep, Sweep) and sweep.tags:
        raise ValueError(f"tag {', '.join(sorted(sweep.tags))} has no meaning for a choice; leave it out")
    for value, text in zip(override.sweep_iterator(), override.sweep_string_iterator(), strict=True):
        # Lists and mappings are known to the study by how they are written.
        plain = isinstance(value, (bool, int, float)) or value is None
        known: Any = value if plain else value.text if isinstance(value, QuotedString) else text
        if known in texts or known != known:  # as NaN is
            raise ValueError(f"{text} cannot be told from {texts.get(known, 'itself')}; give each choice once")
        texts[known] = text
    if not texts:
        raise ValueError("no choice is left")
    return texts


def _range(sweep: RangeSweep, line: str) -> BaseDistribution:
    """Returns all values of Hydra's half-open range: Optuna's ranges include their end.

    Raises:
        ValueError: it cannot be searched as it is written.
    """
    if re.search(r"\bsort\s*\(", line):
        raise ValueError("a range has an order already; leave sort out")
    _check_finite(sweep.start, sweep.stop, sweep.step)
    start, stop, step = (Decimal(str(n)) for n in (sweep.start, sweep.stop, sweep.step))
    steps = floor((stop - start) / step) if step else -1
    steps -= 1 if step and start + steps * step == stop else 0
    if steps < 0:
        raise ValueError("the range is empty")
    if steps >= MOST_VALUES:
        raise ValueError(f"the range has more than {MOST_VALUES:,} values; give an interval")
    low, high = sorted((start, start + steps * step))
    log = _is_log(sweep.tags)
    if log and abs(step) != 1:
        raise ValueError("a logarithmic range has no steps; leave the step out, or log")
    if all(isinstance(n, int) for n in (sweep.start, sweep.stop, sweep.step)):
        return IntDistribution(int(low), int(high), log=log, step=int(abs(step)))
    if log:
        raise ValueError("a range of fractions cannot be logarithmic; give tag(log, interval(...))")
    return FloatDistribution(float(low), float(high), step=float(abs(step)))


def _interval(sweep: IntervalSweep) -> BaseDistribution:
    log = _is_log(sweep.tags)
    start, end = sweep.start, sweep.end
    assert start is not None and end is not None
    _check_finite(start, end)
    if isinstance(start, int) and isinstance(end, int):
        return IntDistribution(start, end, log=log)
    return FloatDistribution(float(start), float(end), log=log)


def _check_finite(*numbers: float | None) -> None:
    if not all(
        number is None or abs(number) <= LARGEST or (isinstance(number, float) and isfinite(number))
        for number in numbers
    ):
        raise ValueError(f"its ends must be finite numbers, whole ones up to {LARGEST:,}")


def _is_log(tags: set[str]) -> bool:
    if tags - {"log"}:
        raise ValueError(f"tag {', '.join(sorted(tags - {'log'}))} has no meaning here; the only tag is log")
    return "log" in tags
