"""The moving average of the weights."""

from collections.abc import Callable

from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn

Tensors = tuple[Tensor, ...] | list[Tensor]


def moving_average(decay: float) -> Callable[[Tensors, Tensors, Tensor | int], None]:
    """Returns the exponential moving average for :class:`torch.optim.swa_utils.AveragedModel`, with a short memory at
    first.

    Without it the network after the first step, which knows nothing, would be 0.998^100 = 82 % of the average after
    100 steps. The decay grows as (1 + n) / (10 + n), as in TensorFlow's ExponentialMovingAverage.

    Args:
        decay: per step, in the long run.
    """

    def update(average: Tensors, current: Tensors, count: Tensor | int) -> None:
        steps = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))(average, current, count)

    return update
