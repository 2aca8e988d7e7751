"""Modules of torch as networks of the chip: the same outputs, or the first layer that the chip lacks."""

import pytest
import torch
from torch import Tensor, nn

import maxexp
from maxexp.base.errors import DeviceError, NetworkError
from tests.importing.modules import KINDS, inputs, made


def outputs(model: maxexp.Model, examples: Tensor) -> Tensor:
    """Of the network in floating point, for (N, C, H, W) or (N, C, L)."""
    with torch.no_grad():
        return model.module(examples.reshape(len(examples), *model.network.in_shape))


@pytest.mark.parametrize("name", KINDS)
def test_the_same_outputs(name):
    module, shape = made(name)
    model = maxexp.from_torch(module, shape)
    examples = inputs(shape)
    with torch.no_grad():
        assert torch.allclose(outputs(model, examples), module(examples), atol=1e-4)
    assert model.changes == ()
    model.cost()


@pytest.mark.parametrize("name", ["sequential", "residual"])
def test_it_goes_all_the_way(name, tmp_path):
    """Quantized, saved, loaded; its description is a file that trains like any other."""
    module, shape = made(name)
    model = maxexp.from_torch(module, shape, classes=[f"class {n}" for n in range(10 if name == "sequential" else 4)])
    pixels = torch.randint(0, 256, (64, *shape), dtype=torch.uint8)
    quantized = model.quantize(calibration=[pixels])
    again = maxexp.load(quantized.save(tmp_path / "net.pth.tar"))
    assert torch.equal(again.outputs(pixels), quantized.outputs(pixels))
    assert again.predict(pixels[0]).label.startswith("class ")
    images = {"channels": shape[0], "height": shape[1], "width": shape[2], "num_classes": len(model.classes)}
    described = maxexp.network(model.write_yaml(tmp_path / "net.yaml"), images)
    assert described.layers == model.network.layers


def test_names_are_those_of_the_modules():
    module, shape = made("residual")
    model = maxexp.from_torch(module, shape, name="mine")
    assert model.name == "mine"
    assert {"stem_0", "block1_conv1", "block2_shortcut", "fc"} <= set(model.network.by_name)
    assert model.network.by_name["block1_conv2"].batchnorm.name == "affine", "batch norm stays, to be trained on"


class Named(nn.Module):
    """A layer between a convolution and a linear layer."""

    def __init__(self, layer: nn.Module, channels: int = 8) -> None:
        super().__init__()
        self.conv, self.layer, self.fc = nn.Conv2d(3, 8, 3, padding=1), layer, nn.LazyLinear(4)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(self.layer(self.conv(x)).flatten(1))


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (nn.Conv2d(8, 8, 3, stride=2, padding=1), "layer: stride 2x2.*pool in front"),
        (nn.Conv2d(8, 8, 5, padding=2), "layer: a kernel of 5x5; the chip has 1x1 and 3x3; use 2 convolutions"),
        (nn.Conv2d(8, 8, 3, padding=1, groups=8), "layer: a convolution in 8 groups.*groups=1"),
        (nn.Conv2d(8, 8, 3, dilation=2), "dilation 2x2"),
        (nn.Conv2d(8, 8, 3, padding=1, padding_mode="reflect"), "padding by reflect"),
        (nn.ConvTranspose2d(8, 8, 2, stride=2), "layer: ConvTranspose2d is not on the chip"),
        (nn.ReLU6(), "layer: no relu6 on the chip; use nn.ReLU"),
        (nn.Sigmoid(), "layer: no sigmoid on the chip"),
        (nn.MaxPool2d(3, 2, padding=1), "layer: no padding of a pooling"),
        (nn.Sequential(nn.ReLU(), nn.BatchNorm2d(8)), "layer.1: a batch norm .* no convolution"),
        (nn.LSTM(8, 8), "LSTM"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_the_first_layer_that_the_chip_lacks(layer, told):
    module = Named(layer)
    if not isinstance(layer, nn.LSTM):
        module(torch.zeros(1, 3, 8, 8))
    with pytest.raises(NetworkError, match=told) as caught:
        maxexp.from_torch(module, (3, 8, 8))
    assert "\n" not in str(caught.value)


def test_limits_of_the_chip_are_told_too():
    module = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.Flatten(), nn.Linear(8 * 32 * 32, 4))
    with pytest.raises(DeviceError, match="to flatten .* is 768 over the 256"):
        maxexp.from_torch(module, (3, 32, 32))


@pytest.mark.parametrize(
    ("layer", "exact", "change"),
    [
        (nn.Conv2d(8, 8, 3, stride=2, padding=1), False, "max pooling of 2x2"),
        (nn.Conv2d(8, 8, 5, padding=2), False, "2 of 3x3"),
        (nn.Conv2d(8, 16, 3, padding=1, groups=4), True, "other weights are 0"),
        (nn.ReLU6(), True, "ReLU in its place"),
        (nn.MaxPool2d(3, 2, padding=1), False, "windows of 2x2"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_the_nearest_that_fits(layer, exact, change):
    module = Named(layer)
    module(torch.zeros(1, 3, 8, 8))
    model = maxexp.from_torch(module, (3, 8, 8), strict=False)
    assert len(model.changes) == 1 and change in model.changes[0] and model.changes[0].startswith("layer: ")
    examples = inputs((3, 8, 8))
    with torch.no_grad():
        expected = module.eval()(examples)
    assert outputs(model, examples).shape == expected.shape
    assert torch.allclose(outputs(model, examples), expected, atol=1e-4) == exact


class BasicBlock(nn.Module):
    """As torchvision's: the ReLU behind the sum."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.conv, self.fc = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1), nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = torch.relu(self.stem(x))
        x = torch.relu(self.conv(x) + x)
        return self.fc(x.mean([2, 3]))


def test_a_relu_behind_a_sum():
    module = BasicBlock()
    with pytest.raises(NetworkError, match="no relu behind a sum .*; put the relu into the branches"):
        maxexp.from_torch(module, (3, 8, 8))
    model = maxexp.from_torch(module, (3, 8, 8), strict=False)
    assert "convolution by the identity" in model.changes[0]
    examples = inputs((3, 8, 8))
    with torch.no_grad():
        assert torch.allclose(outputs(model, examples), module(examples), atol=1e-4)


def test_what_cannot_be_traced_and_what_is_no_network():
    class Loops(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(NetworkError, match="torch.fx cannot trace it .*; take control flow"):
        maxexp.from_torch(Loops(), (3, 8, 8))
    with pytest.raises(NetworkError, match="computes nothing"):
        maxexp.from_torch(nn.Identity(), (3, 8, 8))
    with pytest.raises(NetworkError, match=r"give \(C, H, W\)"):
        maxexp.from_torch(nn.Identity(), (1, 3, 8, 8))


def test_another_data_set_is_refused():
    module, shape = made("sequential")
    assert maxexp.from_torch(module, shape, "cifar10").classes[0] == "airplane"
    with pytest.raises(NetworkError, match="gives 10 numbers; the data set cifar100 has 3x32x32 and 100"):
        maxexp.from_torch(module, shape, "cifar100")
