"""ONNX files, as torch writes them in its old and its new way, as networks of the chip."""

import logging
import warnings
from pathlib import Path

import pytest
import torch
from torch import nn

import maxexp
from maxexp.base.errors import ConfigError, NetworkError
from tests.importing.modules import KINDS, inputs, made

onnx = pytest.importorskip("onnx")


def exported(module: nn.Module, shape: tuple[int, ...], path: Path, opset: int | None) -> Path:
    """The file of a module; by torch's TorchScript exporter where an operator set is named."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            example = (inputs(shape, 2),)
            if opset is None:
                torch.onnx.export(module, example, str(path), dynamo=True, verbose=False)
            else:
                torch.onnx.export(module, example, str(path), opset_version=opset, dynamo=False)
        finally:
            logging.disable(logging.NOTSET)
    return path


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 18, None])
@pytest.mark.parametrize("name", KINDS)
def test_the_same_outputs(name, opset, tmp_path):
    module, shape = made(name)
    model = maxexp.from_onnx(exported(module, shape, tmp_path / "net.onnx", opset))
    examples = inputs(shape)
    with torch.no_grad():
        expected, found = module(examples), model.module(examples.reshape(len(examples), *model.network.in_shape))
    assert torch.allclose(found, expected, atol=1e-4)
    assert model.name == "net" and model.changes == ()
    assert model.network.weights == maxexp.from_torch(module, shape).network.weights


def test_another_evaluator_agrees(tmp_path):
    """ONNX's own reference evaluator, which knows nothing of torch."""
    from onnx.reference import ReferenceEvaluator

    module, shape = made("residual")
    path = exported(module, shape, tmp_path / "net.onnx", 13)
    examples = inputs(shape, 2)
    model = onnx.load(str(path))
    (expected,) = ReferenceEvaluator(model).run(None, {model.graph.input[0].name: examples.numpy()})
    with torch.no_grad():
        found = maxexp.from_onnx(path).module(examples)
    assert torch.allclose(found, torch.from_numpy(expected), atol=1e-4)


@pytest.mark.parametrize(
    ("layer", "told"),
    [
        (nn.Conv2d(3, 4, 3, stride=2), "stride 2x2"),
        (nn.ConvTranspose2d(3, 4, 2), "ConvTranspose is not on the chip"),
        (nn.Hardtanh(-0.5, 0.5), "values are limited to -0.5 and 0.5"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sigmoid()), "no sigmoid on the chip"),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU6()), "no relu6 on the chip"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
@pytest.mark.parametrize("opset", [9, 17])
def test_the_first_layer_that_the_chip_lacks(layer, told, opset, tmp_path):
    path = exported(layer.eval(), (3, 8, 8), tmp_path / "net.onnx", opset)
    with pytest.raises(NetworkError, match=told):
        maxexp.from_onnx(path)


def test_what_is_no_onnx_file(tmp_path):
    (tmp_path / "net.onnx").write_bytes(b"nonsense")
    with pytest.raises(NetworkError, match="net.onnx: not a readable ONNX file"):
        maxexp.from_onnx(tmp_path / "net.onnx")
    with pytest.raises(NetworkError, match="nowhere.onnx: not a readable ONNX file"):
        maxexp.from_onnx("nowhere.onnx")


def test_without_the_package(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"pip install 'maxexp\[onnx\]'"):
        maxexp.from_onnx(tmp_path / "net.onnx")
