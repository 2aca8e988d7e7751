"""Progressive resolution: the first epochs of a training see smaller images, which take a fraction of the time."""

import torch
import torch.nn.functional as F
from torch import Tensor

from maxexp.base.errors import ConfigError
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.training.config import SmallImagesConfig


def seen(inputs: Tensor, config: SmallImagesConfig, epoch: int, epochs: int) -> Tensor:
    """Returns what the network that learns sees of a batch.

    Args:
        inputs: (N, C, H, W).
        epoch: of this phase, counted from 0.
        epochs: of this phase.

    Returns:
        The same, or (N, C, H / divisor, W / divisor) in the early epochs: the means of squares of pixels.
    """
    if epoch >= round(config.share * epochs):
        return inputs
    return F.avg_pool2d(inputs, config.divisor)


def check_small_images(config: SmallImagesConfig, network: Network) -> None:
    """Refuses a network that can compute images of its own size only.

    Raises:
        ConfigError: it is one, or the image's sides are no multiples of the divisor.
    """
    channels, rows, cols = network.in_shape
    divisor = config.divisor
    if rows % divisor or cols % divisor:
        raise ConfigError(
            f"recipe.small_images.divisor={divisor}: images of {rows}x{cols} pixels cannot be divided by it; choose "
            "a divisor of both sides"
        )
    # Nothing is computed on this device, and no random numbers are drawn.
    with torch.device("meta"):
        module = NetworkModule(network).eval()
        try:
            outputs = module(torch.empty(1, channels, rows // divisor, cols // divisor)).shape[1]
        except RuntimeError:
            outputs = 0
    if outputs != network.out_features:
        raise ConfigError(
            f"recipe.small_images: {network.name} cannot compute images of {rows // divisor}x{cols // divisor} "
            "pixels; pool the whole map in front of its last layer, or set recipe.small_images=null"
        )
