"""Regression: scores against scikit-learn's, targets in a unit, what is refused."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import mean_squared_error, r2_score

from maxexp.data.dataset import ImageSet
from maxexp.data.store.arrays import TargetUnit
from maxexp.data.store.scaling import target_unit, to_unit
from maxexp.tasks.base import Sums
from maxexp.tasks.regression import Regression

TASK = Regression()


def examples(targets: np.ndarray, unit: TargetUnit) -> ImageSet:
    images = torch.zeros(len(targets), 1, 1, 1, dtype=torch.uint8)
    return ImageSet(images, torch.from_numpy(to_unit(targets, unit)), [], "", unit)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 40), st.integers(1, 5), st.integers(0, 2**31))
def test_scores_are_those_of_scikit_learn_in_the_unit_of_the_targets(count, outputs, seed):
    rng = np.random.default_rng(seed)
    targets = rng.normal(100, 20, (count, outputs)) * 10.0 ** rng.integers(-2, 3, outputs)
    targets[:, 0] = 7.0 if rng.random() < 0.2 else targets[:, 0]
    unit = target_unit(targets)
    found = targets + rng.normal(0, 10, targets.shape)
    scores = TASK.evaluate(torch.from_numpy(to_unit(found, unit)), examples(targets, unit))
    assert scores["mse"] == pytest.approx(mean_squared_error(targets, found), rel=1e-4)
    assert scores["r2"] == pytest.approx(r2_score(targets, found), rel=1e-3, abs=1e-3)


def test_sums_over_batches_give_the_scores_of_the_whole():
    generator = torch.Generator().manual_seed(1)
    outputs, targets = torch.randn(100, 3, generator=generator), torch.randn(100, 3, generator=generator)
    unit = TargetUnit((1.0, 2.0, 3.0), (4.0, 5.0, 6.0))
    whole, parts = Sums(), Sums()
    whole.add(100, TASK.totals(outputs, targets))
    for chosen in torch.arange(100).split(7):
        parts.add(len(chosen), TASK.totals(outputs[chosen], targets[chosen]))
    assert TASK.means(parts, unit) == pytest.approx(TASK.means(whole, unit), rel=1e-6)
    assert TASK.means(whole, unit)["loss"] == pytest.approx(float(TASK.loss(outputs, targets)), rel=1e-6)


def test_training_targets_lie_within_the_range_of_an_8_bit_output():
    targets = np.array([[25.0, -1.0], [346.0, 1e6], [100.0, 5.0]])
    unit = target_unit(targets)
    within = to_unit(targets, unit)
    assert np.abs(within).max() < 1
    assert within * np.array(unit.scale) + np.array(unit.offset) == pytest.approx(targets, rel=1e-5, abs=0.1)


def test_a_map_of_targets_has_one_unit():
    targets = np.random.default_rng(0).uniform(0, 255, (5, 3, 4, 4))
    assert len(target_unit(targets).scale) == 1
