"""Progressive resolution."""

import pytest
import torch

from maxexp.base.errors import ConfigError
from maxexp.data.store.arrays import TargetUnit
from maxexp.network.config import BatchNorm, LayerConfig, NetworkConfig, Pool
from maxexp.network.graph import Network, build_network
from maxexp.network.module import NetworkModule
from maxexp.tasks.classification import Classification
from maxexp.training.config import RecipeConfig, SmallImagesConfig
from maxexp.training.learner import Learner
from maxexp.training.small_images import check_small_images, seen

HEAD = LayerConfig(op="linear", out_features=5, wide=True)


def network(pool: bool, side: int = 8) -> Network:
    layers = {"conv": LayerConfig(out_channels=4, batchnorm=BatchNorm.affine)}
    if pool:
        layers["pool"] = LayerConfig(op="passthrough", pool=Pool.avg, pool_size=side)
    return build_network(NetworkConfig("small", 1.0, layers | {"head": HEAD}), (3, side, side))


def test_squares_of_pixels_become_their_means_in_the_first_epochs_only():
    inputs = torch.arange(16.0).view(1, 1, 4, 4)
    config = SmallImagesConfig(divisor=2, share=0.5)
    assert seen(inputs, config, 1, 4).tolist() == [[[[2.5, 4.5], [10.5, 12.5]]]]
    assert seen(inputs, config, 2, 4) is inputs


def test_a_network_that_pools_the_whole_map_computes_small_images_and_any_other_is_refused():
    config = SmallImagesConfig()
    check_small_images(config, network(pool=True))
    with pytest.raises(ConfigError, match="small cannot compute images of 4x4 pixels; pool the whole map"):
        check_small_images(config, network(pool=False))
    with pytest.raises(ConfigError, match="divisor=3: images of 8x8 pixels cannot be divided by it"):
        check_small_images(SmallImagesConfig(divisor=3), network(pool=True))


def test_a_constant_image_is_pooled_to_the_same_value_at_either_size():
    module = NetworkModule(network(pool=True))
    pool = module.layers()[1]
    values = torch.tensor([1.0, -2.0, 0.5, 3.0]).view(1, 4, 1, 1)
    for side in (4, 8):
        assert torch.equal(pool(values.expand(1, 4, side, side)), values)


def test_fine_tuning_sees_whole_images():
    assert RecipeConfig(small_images=SmallImagesConfig()).fine_tuning().small_images is None


def test_the_teacher_is_asked_about_whole_images():
    """The network that learns sees a quarter of the pixels; what its loss is mixed with, all of them."""
    sizes = []

    class Asked:
        def mix(self, loss, logits, inputs):
            sizes.append(inputs.shape[2])
            return loss

    module = NetworkModule(network(pool=True))
    module.layers()[0].register_forward_pre_hook(lambda layer, args: sizes.append(args[0].shape[2]))
    recipe = RecipeConfig(small_images=SmallImagesConfig(share=0.5))
    learner = Learner(module, Classification(), TargetUnit(), recipe, "float", 0, 1, Asked())
    learner.trainer = type("Epochs", (), {"max_epochs": 2, "current_epoch": 0})()
    learner.on_train_epoch_start()
    learner.training_step((torch.randn(2, 3, 8, 8), torch.tensor([0, 1])))
    assert sizes == [4, 8]
