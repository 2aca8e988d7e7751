"""What quantization computes, it computes where the network and the images are: a GPU has them for itself."""

import copy
from collections.abc import Callable

import pytest
import torch

from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.files.export import to_integer
from maxexp.quantization.methods.ptq import quantize_after_training
from maxexp.quantization.methods.ranges import layer_ranges
from maxexp.quantization.methods.sensitivity import judged, predict
from maxexp.quantization.simulate.fake import quantize_module, without_rounding
from maxexp.quantization.simulate.fold import estimate_batchnorm, fold_batchnorm
from maxexp.tasks.classification import Classification
from tests.pretend_gpu import DEVICE, PretendGpu
from tests.quantization.test_ptq import RESIDUAL

SETTINGS = QuantizationConfig(Method.ptq)


def quantize(module: NetworkModule, inputs: torch.Tensor) -> None:
    quantize_after_training(module, inputs, SETTINGS)


def quantize_plainly(module: NetworkModule, inputs: torch.Tensor) -> None:
    fold_batchnorm(module)
    quantize_module(module, {})
    layer_ranges(module, inputs)
    predict(without_rounding(module), inputs)


def test_a_pretended_gpu_does_not_mix_with_the_cpu():
    with PretendGpu():
        there = torch.ones(3).to(DEVICE)
        assert there.device == DEVICE and float((there + 1).sum()) == 6
        assert torch.equal((there * torch.tensor(2.0)).cpu(), torch.full((3,), 2.0))
        with pytest.raises(RuntimeError, match="same device"):
            there + torch.ones(3)


@pytest.mark.parametrize("work", [quantize, quantize_plainly, estimate_batchnorm])
@torch.no_grad()
def test_quantization_gives_the_same_on_a_gpu(work: Callable, make_network, make_module, random_images):
    network = make_network(RESIDUAL, (3, 8, 8))
    here, inputs = make_module(network, 8), random_images(network, 100).float() / 128
    there = copy.deepcopy(here)
    work(here, inputs)
    with PretendGpu():
        there.to(DEVICE)
        work(there, inputs.to(DEVICE))
        assert {value.device for value in there.state_dict().values()} == {DEVICE}
        outputs = predict(there, inputs.to(DEVICE))
        judged(Classification(), outputs, torch.zeros(100, dtype=torch.long).to(DEVICE))
        found = {name: value.cpu() for name, value in there.state_dict().items()}
        if work is not estimate_batchnorm:
            integers = to_integer(there).predict((inputs * 128).to(DEVICE)).cpu()
    for name, value in here.state_dict().items():
        torch.testing.assert_close(found[name], value)
    if work is not estimate_batchnorm:
        assert torch.equal(integers, to_integer(here).predict(inputs * 128))
