"""Quasi-Monte Carlo: one sequence, which all trials continue."""

import numpy as np
import optuna
from omegaconf import OmegaConf

from maxexp.cli.run import conf_dir
from maxexp.sweep.search.sampling import DistinctSampler, make_sampler
from maxexp.sweep.search.space import parse_space

SPACE = parse_space({"x": "interval(0,1)", "y": "interval(0,1)"}, {}, [])


def test_sixteen_points_in_sixteen_squares():
    """A property of Sobol sequences, scrambled ones too: each sixteenth of the square has one of 16 points."""
    chosen = OmegaConf.to_container(OmegaConf.load(f"{conf_dir()}/sampler/qmc.yaml"), resolve=True)
    study = optuna.create_study()
    points = []
    for number in range(17):
        study.sampler = DistinctSampler(make_sampler(chosen, number), SPACE, (), number)
        trial = study.ask()
        points.append([trial.suggest_float("x", 0, 1), trial.suggest_float("y", 0, 1)])
        study.tell(trial, number)
    # The first one is not of the sequence: only then does the sampler know the space.
    counts, *_ = np.histogram2d(*np.transpose(points[1:]), bins=4, range=[[0, 1], [0, 1]])
    assert (counts == 1).all()
