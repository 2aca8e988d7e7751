"""Checkpoints say themselves which network they are of: no model needs to be named."""

import pytest

from maxexp.base.errors import CheckpointError
from maxexp.data.config import DatasetSource
from maxexp.run.described_checkpoints import with_own_network
from maxexp.run.self_description import KEY, SelfDescription, read_description
from maxexp.schema.config import Config
from tests.conftest import composed


def adopted(*overrides: str) -> Config:
    return with_own_network(composed(*overrides), overrides)


def test_of_the_zoo():
    config = adopted("stages=[evaluate]", "checkpoint=zoo:cifar10_nascifarnet", "dataset.root=here")
    whole = composed("+experiment=cifar10_qat")
    assert config.model == whole.model and config.task == whole.task
    assert config.dataset.source is DatasetSource.cifar10 and config.dataset.root == "here"
    assert config.recipe == composed().recipe, "only what describes the network"


def test_of_a_run(quickstart, store):
    uri = f"tracking.uri={store.uri}"
    config = adopted(f"checkpoint=run:{quickstart.info.run_id}", uri)
    assert config.model == composed("+experiment=quickstart").model
    other = adopted(f"checkpoint=run:{quickstart.info.run_id[:8]}", uri, "dataset=cifar10")
    assert other.model == config.model and other.dataset.name == "cifar10"


def test_a_run_needs_no_model(quickstart, run_here, store):
    """And comes to the same figures as the run whose network it is."""
    run = run_here("stages=[evaluate]", f"checkpoint=run:{quickstart.info.run_id}")
    assert run.data.metrics["test/accuracy_integer"] == quickstart.data.metrics["test/accuracy_integer"]


@pytest.mark.parametrize("typed", ["model=digitsnet", "+experiment=quickstart", "model.width=0.5"])
def test_what_the_user_names_stays(typed):
    overrides = (typed, "stages=[evaluate]", "checkpoint=zoo:cifar10_nascifarnet")
    assert adopted(*overrides) == composed(*overrides)


def test_no_checkpoint_and_none_that_says_so(ai8x):
    assert adopted("seed=3") == composed("seed=3")
    overrides = (f"checkpoint={ai8x / 'ai85-cifar10-qat8.pth.tar'}",)
    assert adopted(*overrides) == composed(*overrides)
    with pytest.raises(CheckpointError, match="zoo:nope: no such network"):
        adopted("checkpoint=zoo:nope")


def test_all_of_a_description_is_read_again():
    config = composed("model=wrn16_2", "dataset=cifar100", "augmentation.normalize.mapping=ai8x", "dataset.root=here")
    known = SelfDescription.of(config)
    again = read_description(known.extras())
    assert again.model == known.model and again.normalize == known.normalize
    assert again.classes[0] == "apple" and len(again.classes) == 100
    assert again.dataset.root is None, "the place of a machine is no property of a network"
    later = known.extras()[KEY].replace('"width": 32', '"width": 32, "of_later": 1')
    assert read_description({KEY: later}).dataset == again.dataset
    assert read_description({}) is None
