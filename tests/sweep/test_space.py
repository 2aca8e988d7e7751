"""Search spaces: Hydra's syntax, Hydra's meaning, conditions."""

import math

import pytest
from hydra.core.override_parser import types
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

from maxexp.base.errors import ConfigError
from maxexp.run.exact_ranges import use_exact_ranges
from maxexp.sweep.search.space import Space, parse_space


def only(text: str):
    (parameter,) = parse_space({"key": text}, {}, []).parameters
    return parameter


@pytest.mark.parametrize(
    ("text", "distribution"),
    [
        ("a,b", CategoricalDistribution(["a", "b"])),
        ("choice(8,4,true)", CategoricalDistribution([8, 4, True])),
        ("null,max", CategoricalDistribution([None, "max"])),
        ("range(1,9)", IntDistribution(1, 8)),
        ("range(8,0,-2)", IntDistribution(2, 8, step=2)),
        ("interval(0,1)", FloatDistribution(0.0, 1.0)),
        ("int(interval(1,5))", IntDistribution(1, 5)),
        ("tag(log,interval(1e-4,0.1))", FloatDistribution(1e-4, 0.1, log=True)),
        ("tag(log,int(interval(1,64)))", IntDistribution(1, 64, log=True)),
    ],
)
def test_syntax(text, distribution):
    assert only(text).distribution == distribution


@given(st.integers(-20, 20), st.integers(-20, 20), st.integers(-5, 5).filter(bool))
def test_a_range_has_exactly_the_values_that_hydra_gives_it(start, stop, step):
    expected = list(range(start, stop, step))
    if expected:
        assert sorted(only(f"range({start},{stop},{step})").values()) == sorted(expected)
    else:
        with pytest.raises(ConfigError, match="empty"):
            only(f"range({start},{stop},{step})")


@given(st.integers(0, 30), st.integers(1, 40), st.sampled_from(["0.125", "0.25", "0.5", "1.5"]))
def test_so_has_a_range_of_fractions(start, length, step):
    """Of fractions that binary numbers hold exactly: Hydra itself misses or adds the end of others."""
    text = f"range({start / 8},{(start + length) / 8},{step})"
    override = OverridesParser.create().parse_override(f"key={text}")
    assert only(text).values() == pytest.approx(list(override.sweep_iterator()))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("range(0,1,0.3)", [0.0, 0.3, 0.6, 0.9]),
        ("range(0,1,0.1)", [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]),
        ("range(0,0.9,0.3)", [0.0, 0.3, 0.6]),
        ("range(1,0,-0.3)", [1.0, 0.7, 0.4, 0.1]),
    ],
)
def test_a_range_of_fractions_has_the_steps_that_were_typed(text, values, monkeypatch):
    """Also in sweeps of Hydra's own, once the command has begun."""
    monkeypatch.setattr(types, "FloatRange", types.FloatRange)
    use_exact_ranges()
    assert list(OverridesParser.create().parse_override(f"key={text}").sweep_iterator()) == values
    assert sorted(only(text).values()) == sorted(values)


def test_values_are_written_as_hydra_reads_them():
    parser = OverridesParser.create()
    for text in ("'a b','c,d'", "[1,2],[3]", "{a:1},{b:null}", "1.0,2", "true,false", "range(0,1,0.1)"):
        parameter = only(text)
        for value in parameter.values():
            parsed = parser.parse_override(parameter.override(value))
            assert not parsed.is_sweep_override()
    # 0.1 + 0.2 in binary
    assert only("range(0,1,0.1)").override(0.30000000000000004) == "key=0.3"


CONDITIONAL = (
    {"model": "a,b", "seed": "1,2"},
    {"model=a": {"x": "1,2,3"}, "model=b": {"x": "5,6", "y": "range(0,4)"}},
)


def test_conditions():
    space = parse_space(*CONDITIONAL, [])
    points = list(space.points())
    assert space.size == len(points) == 2 * 3 + 2 * 2 * 4
    assert {tuple(space.overrides(p)) for p in points if p["model"] == "a"} == {
        ("model=a", f"seed={s}", f"x={x}") for s in (1, 2) for x in (1, 2, 3)
    }
    assert all(len(space.overrides(p)) == 4 for p in points if p["model"] == "b")


def test_samples_have_each_choice_and_both_ends():
    space = parse_space({**CONDITIONAL[0], "rate": "interval(0.5,2)"}, CONDITIONAL[1], [])
    seen = {override for point in space.samples() for override in space.overrides(point)}
    assert {"model=a", "model=b", "x=3", "x=6", "y=0", "y=3", "rate=0.5", "rate=2.0"} <= seen


def test_a_space_survives_json():
    import json

    space = parse_space({**CONDITIONAL[0], "z": "null,[1,2]"}, CONDITIONAL[1], [])
    assert Space.from_plain(json.loads(json.dumps(space.to_plain()))) == Space(space.parameters)


def test_the_command_line_wins_over_the_preset():
    space = parse_space({"a": "1,2", "b": "1,2", "c": 3}, {"b=1": {"d": "1,2"}}, ["a=7", "b=1,2,3", "d=4"])
    assert [p.name for p in space.parameters] == ["b"]
    assert set(space.fixed) == {"c=3", "a=7", "d=4"}
    assert space.size == 3


def test_a_choice_narrowed_on_the_command_line_keeps_the_conditions_that_can_hold():
    space = parse_space(*CONDITIONAL, ["model=b"])
    assert [p.name for p in space.parameters] == ["seed", "x", "y"]
    assert space.fixed == ("model=b",)
    assert space.size == 2 * 2 * 4
    space = parse_space(*CONDITIONAL, ["model=a,c"])
    assert space.size == 2 * (3 + 1)
    space = parse_space(*CONDITIONAL, ["model=c"])
    assert [p.name for p in space.parameters] == ["seed"]


def test_an_interval_is_endless():
    assert parse_space({"a": "interval(0,1)"}, {}, []).size == math.inf


@pytest.mark.parametrize(
    ("params", "when", "part"),
    [
        ({"a": "range(1,1)"}, {}, "empty"),
        ({"a": "tag(x,range(1,9))"}, {}, "tag x"),
        ({"a": "interval(5,1)"}, {}, "a=interval(5,1)"),
        ({"a": "tag(log,interval(0,1))"}, {}, "log"),
        ({"a": "choice(1,"}, {}, "choice(1,"),
        ({"a": "1,2"}, {"b=1": {"c": "1,2"}}, "b is not a choice of this sweep; choices are: a"),
        ({"a": "1,2"}, {"a=3": {"c": "1,2"}}, "a is never 3; it is one of 1, 2"),
        ({"a": "1,2"}, {"a=1": {"c": 4}}, "give a choice"),
        ({"a": "tag(log,range(1,100,10))"}, {}, "a logarithmic range has no steps"),
        ({"a": "sort(range(0,1,0.3),reverse=true)"}, {}, "leave sort out"),
        ({"a": "tag(log,choice(1,2))"}, {}, "tag log has no meaning for a choice"),
        ({"a": "choice(1,1.0,2)"}, {}, "1.0 cannot be told from 1; give each choice once"),
        ({"a": "x,y,x"}, {}, "x cannot be told from x"),
        ({"a": "choice(nan,1)"}, {}, "nan cannot be told from itself"),
        ({"a": "interval(nan,1)"}, {}, "its ends must be finite numbers"),
        ({"a": "interval(0,inf)"}, {}, "its ends must be finite numbers"),
        ({"a": "range(0,inf)"}, {}, "its ends must be finite numbers"),
        ({"a": "range(0,1e30)"}, {}, "more than 1,000,000 values; give an interval"),
        ({"a": "range(0,1,1e-9)"}, {}, "more than 1,000,000 values; give an interval"),
        ({"a": "glob(*)"}, {}, "a=glob(*): "),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line(params, when, part):
    with pytest.raises(ConfigError) as caught:
        parse_space(params, when, [])
    assert part in str(caught.value) and "\n" not in str(caught.value)
