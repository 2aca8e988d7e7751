"""Limits, pruning, hypervolumes: the parts that know nothing of storage and runs."""

import itertools
import json
import subprocess
import sys

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume

from maxexp.base.errors import ConfigError
from maxexp.chip.cost import network_cost
from maxexp.network.graph import build_network
from maxexp.sweep.search.config import PruningConfig, to_sweep_config
from maxexp.sweep.search.limits import judge, parse_limits
from maxexp.sweep.search.pruning import Rival, hopeless
from maxexp.sweep.workers.hypervolume import hypervolume
from tests.conftest import composed
from tests.sweep.conftest import environment

optuna.logging.set_verbosity(optuna.logging.ERROR)

CIFAR = ("model=nascifarnet", "dataset=cifar10")


def test_a_network_within_the_limits_passes():
    config = composed(*CIFAR)
    network = build_network(config.model, config.dataset.shape)
    expected = network_cost(network, {}, config.device).metrics()
    verdict = judge(config, parse_limits(["hw/latency_us <= 5000", "hw/weight_bytes >= 1e5"]))
    assert verdict.reason is None
    assert verdict.costs == expected
    assert verdict.constraints["fit"] == 0
    assert verdict.constraints["hw/latency_us_max"] == pytest.approx((expected["hw/latency_us"] - 5000) / 5000)
    assert verdict.constraints["hw/weight_bytes_min"] < 0


def test_a_broken_limit_has_its_reason_and_its_excess():
    verdict = judge(composed(*CIFAR), parse_limits(["hw/latency_us<=2000", "hw/weight_bytes <= 442_368"]))
    assert "hw/latency_us is 4564.34, the limit hw/latency_us <= 2000" in verdict.reason
    assert verdict.constraints["hw/latency_us_max"] == pytest.approx(4564.34 / 2000 - 1)
    assert verdict.constraints["hw/weight_bytes_max"] < 0


def test_what_does_not_fit_is_infeasible_by_how_much():
    small, large = (judge(composed(*CIFAR, f"model.width={w}"), []) for w in (2, 4))
    assert "nascifarnet" in small.reason and not small.costs
    assert 0 < small.constraints["fit"] < large.constraints["fit"]


def test_so_is_a_network_that_pools_itself_away():
    verdict = judge(composed("model.layers.conv1.pool=max", "model.layers.conv1.pool_size=16"), [])
    assert verdict.reason and verdict.constraints["fit"] > 0


def test_floating_point_has_no_limits():
    assert judge(composed(*CIFAR, "quantization=float", "model.width=4"), []).reason is None


def test_a_limit_on_what_the_device_has_no_model_of_is_refused():
    with pytest.raises(
        ConfigError, match="hydra.sweeper.limits: the timing of max78002 .* hw/latency_us; known are hw"
    ):
        judge(composed(*CIFAR, "device=max78002"), parse_limits(["hw/weight_bytes <= 9", "hw/latency_us <= 9"]))
    assert judge(composed(*CIFAR, "device=max78002"), parse_limits(["hw/weight_bytes >= 9"])).reason is None


def test_where_cost_is_limited_floating_point_is_infeasible():
    """A space may have it among its choices of quantization."""
    verdict = judge(composed(*CIFAR, "quantization=float"), parse_limits(["hw/latency_us <= 9000"]))
    assert "quantization=float does not run on the chip" in verdict.reason
    assert not verdict.costs and max(verdict.constraints.values()) > 0 and "hw/latency_us_max" in verdict.constraints


@pytest.mark.parametrize(
    ("texts", "part"),
    [
        (["latency < 3"], "hw/latency_us <= 2000"),
        (["hw/latency <= 3"], "known are hw/parameters"),
        (["hw/macs <= 0"], "other than 0"),
        (["hw/macs <= 1", "hw/macs <= 2"], "two limits"),
    ],
)
def test_limits_that_make_no_sense(texts, part):
    with pytest.raises(ConfigError, match="hydra.sweeper.limits") as caught:
        parse_limits(texts)
    assert part in str(caught.value)


def test_the_verdict_needs_no_torch():
    program = (
        "import sys, json, time; from maxexp.sweep.search.limits import judge, parse_limits\n"
        "from maxexp.run.composition import compose_config\n"
        "config = compose_config(['model=nascifarnet', 'dataset=cifar10'])\n"
        "limits = parse_limits(['hw/latency_us <= 1'])\n"
        "begin = time.perf_counter(); judge(config, limits); seconds = time.perf_counter() - begin\n"
        "import maxexp.sweep.workers.worker\n"
        "print(json.dumps([seconds, 'torch' in sys.modules]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=300
    )
    seconds, torch = json.loads(done.stdout.splitlines()[-1])
    assert seconds < 0.5 and not torch


CONFIG = PruningConfig(warmup_epochs=2, rivals=3, percentile=50)
GOOD = {0: 0.3, 1: 0.5, 2: 0.7}
BAD = {0: 0.3, 1: 0.35, 2: 0.36}


def test_what_stays_behind_is_given_up_after_the_warmup():
    rivals = [Rival({}, GOOD)] * 3
    assert hopeless(CONFIG, {}, BAD, rivals)
    assert not hopeless(CONFIG, {}, {0: 0.1, 1: 0.1}, rivals)
    assert not hopeless(CONFIG, {}, GOOD, rivals)
    assert not hopeless(CONFIG, {}, BAD, rivals[:2])
    assert not hopeless(CONFIG, {}, BAD, [Rival({}, {0: 0.9, 1: 0.9})] * 3)


def test_the_best_epoch_counts_not_the_latest():
    assert not hopeless(CONFIG, {}, {0: 0.3, 1: 0.8, 2: 0.1}, [Rival({}, GOOD)] * 3)


def test_what_floating_point_reached_counts_no_more_once_it_is_over():
    collapsed = {0: 0.8, 1: 0.8, 2: 0.1}
    assert not hopeless(CONFIG, {}, collapsed, [Rival({}, GOOD, 2)] * 3)
    assert hopeless(CONFIG, {}, collapsed, [Rival({}, GOOD, 2)] * 3, 2)
    assert not hopeless(CONFIG, {}, {0: 0.3, 1: 0.3, 2: 0.2}, [Rival({}, collapsed, 2)] * 3, 2)


def test_only_trials_that_cost_no_more_are_rivals():
    """A small network is not given up for being less accurate than larger ones."""
    mine = {"hw/latency_us": 100.0, "hw/weight_bytes": 10.0}
    dearer = [Rival({"hw/latency_us": 100.0, "hw/weight_bytes": 11.0}, GOOD)] * 9
    unknown = [Rival({}, GOOD)] * 9
    assert not hopeless(CONFIG, mine, BAD, dearer + unknown)
    cheaper = [Rival({"hw/latency_us": 100.0, "hw/weight_bytes": 9.0}, GOOD)] * 3
    assert hopeless(CONFIG, mine, BAD, dearer + cheaper)


points = st.integers(1, 3).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=1, max_size=12)
)


@settings(max_examples=30)
@given(points)
def test_hypervolume_against_optuna_and_by_counting_cells(values):
    losses = np.array(values, float)
    reference = np.full(losses.shape[1], 4.0)
    ours = hypervolume(losses, reference)
    inside = losses[(losses <= reference).all(1)]
    assert ours == pytest.approx(compute_hypervolume(inside, reference) if len(inside) else 0)
    grid = itertools.product(range(4), repeat=losses.shape[1])
    assert ours == sum((losses <= cell).all(1).any() for cell in map(np.array, grid))


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        ({"trial": 3}, "hydra.sweeper.trial: no such key"),
        ({"trials": 0}, "hydra.sweeper.trials=0"),
        ({"objectives": {"hw/macs": "min"}}, "hydra.sweeper.objectives.hw/macs"),
        ({"objectives": {}}, "name at least one metric"),
        ({"pruning": {"warmup": 3}}, "hydra.sweeper.pruning.warmup"),
        (
            {"pruning": {"metric": "val/acuracy"}},
            "must be one of train/accuracy, ",
        ),
        ({"pruning": {"metric": "train/seconds"}}, "hydra.sweeper.pruning.metric=train/seconds"),
        ({"final": {"overrides": []}}, "final.overrides"),
    ],
)
def test_settings_are_checked(wrong, part):
    with pytest.raises(ConfigError) as caught:
        to_sweep_config({"objectives": {"hw/macs": "minimize"}, **wrong})
    assert part in str(caught.value) and "\n" not in str(caught.value)
