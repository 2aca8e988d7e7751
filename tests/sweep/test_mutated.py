"""Mutated search spaces and plans of sweeps: searched, or refused in one line."""

import json
from itertools import islice

import pytest

from maxexp.base.errors import ConfigError
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.search.space import Space, parse_space
from maxexp.sweep.workers.study import read_plan
from tests.fuzz import fuzz, mutated
from tests.sweep.conftest import planned

SPACES = [
    b"model=choice(cmsisnnet,nas)\nmodel.width=range(0.5,2,0.25)\nseed=1\nx=tag(log,interval(1e-3,2e-2))",
    b"recipe.learning_rate=tag(log,interval(1e-4,0.1))\nmodel.layers.conv1.out_channels=range(4,64,4)\ny=1,2,a,null",
    b"a=shuffle(choice(1,2,[a,b],{c:1}))\nb=int(interval(1,5))\nc=sort(3,2,1)\nd=float(range(1,5))\n+e='a b','c'",
]
WORDS = [
    b"range(",
    b"interval(",
    b"choice(",
    b"tag(log,",
    b"glob(*)",
    b"int(",
    b"str(",
    b"1e999",
    b"-1e-320",
    b",",
    b"${x}",
    b"\n",
    b"=",
    b"999999999999999999",
    b"sort(",
]
WHEN = {"model=nas": {"model.width": "0.5,1", "model.depth": "range(1,4)"}}


def search(data: bytes) -> None:
    """All that is done with a space before the first trial."""
    lines = data.decode(errors="surrogateescape").split("\n")
    when = WHEN if any(line.startswith("model=") for line in lines) else {}
    space = parse_space({}, when, lines)
    assert Space.from_plain(json.loads(json.dumps(space.to_plain()))).parameters == space.parameters
    assert space.size > 0 and space.by_condition() is not None
    for point in [*islice(space.samples(), 20), *islice(space.points(), 20 if space.size < 1e6 else 0)]:
        assert space.whole(point) and len(space.overrides(point)) == len(point)
    for parameter in space.parameters:
        assert 3 in parameter or 3 not in parameter


def test_spaces():
    fuzz("search space", search, mutated(SPACES, WORDS), SPACES)


def test_a_wide_range_of_whole_numbers_is_not_written_out():
    space = parse_space({"seed": "int(interval(1,1000000000000))"}, {}, [])
    (parameter,) = space.parameters
    assert 10**12 in parameter and 0 not in parameter and 1.5 not in parameter and "1" not in parameter
    assert space.size == 10**12 and next(space.points()) == {"seed": 1}


@pytest.mark.parametrize("lines", [["a=1,2", "a=3,4"], ["a=1", "a=1,2"], ["a=1,2", "+a=3,4"]])
def test_a_key_that_is_searched_is_given_once(lines):
    with pytest.raises(ConfigError, match="a: searched, and given twice; give it once, with all its values"):
        parse_space({}, {}, lines)
    assert parse_space({"a": "5,6"}, {}, ["a=1,2"]).size == 2


def test_an_unreadable_function_is_named():
    with pytest.raises(ConfigError, match=r"^b=int\(inter,64,4\): ") as caught:
        parse_space({}, {}, ["b=int(inter,64,4)"])
    assert "\n" not in str(caught.value)


PLAN_WORDS = [
    b"null",
    b"1e999",
    b"NaN",
    b"{}",
    b"[]",
    b'"x"',
    b'{"name": "IntDistribution"}',
    b"[" * 5000,
    b"\\ud800",
]


def test_plans(place):
    plain = planned(
        "hydra.sweeper.objectives={hw/latency_us:minimize}",
        "model.layers.conv1.out_channels=range(4,69,4)",
        "recipe.optimizer=choice(adamw,sgd)",
        "+hydra.sweeper.pruning.metric=val/accuracy",
        "+hydra.sweeper.final.overrides=['trainer.max_epochs=2']",
        "+hydra.sweeper.final.seeds=[1,2]",
        "hydra.sweeper.baseline=true",
    ).to_plain()
    good = [json.dumps(plain).encode()]

    def read(data: bytes) -> None:
        plan = read_plan(data.decode(errors="replace"), "study x")
        assert json.loads(json.dumps(plan.to_plain(), default=str))
        next(plan.space.samples(), {})

    fuzz("plan of a sweep", read, mutated(good, PLAN_WORDS), good, 4)
    assert isinstance(read_plan(good[0].decode(), "study x"), Plan)


@pytest.mark.parametrize("text", ["", "5", "[]", "{}", '{"settings": {}}', "null", "[" * 9999])
def test_a_text_that_is_no_plan_is_one_line(text):
    with pytest.raises(ConfigError, match=r"study x: its plan is damaged: .*; restore the database, or begin a new"):
        read_plan(text, "study x")
