"""The real synthesizer and what is particular about it; networks at large are in test_emulated.py.

``Synthesizer.run`` compares cycles, operations, columns, offsets and bytes layer by layer, and the outputs of the
sample; any difference raises. So it is enough that it comes back.
"""

import pytest
import torch

from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.quantization.files.checkpoint import write_integer
from maxexp.synthesis.stand_in import random_image, random_integers
from tests.runs import call

pytestmark = pytest.mark.ai8x


def test_the_names_that_it_reserves_are_no_trouble(synthesizer, synthesize, make_network, tmp_path):
    """It takes weights of its own for "test", reserves "stop" for a layer, and knows no upper case."""
    layers = {"stop": {"out_channels": 4}, "STOP": {"out_channels": 4, "bias": False}}
    network = make_network(layers, (3, 6, 6))
    synthesize(synthesizer, type(network)("test", network.in_shape, network.layers), tmp_path)


def test_weights_and_biases_that_are_all_zero(synthesizer, make_network, tmp_path):
    network = make_network({"a": {"out_channels": 4}, "b": {"out_channels": 4, "wide": True}}, (3, 6, 6))
    integer = random_integers(network, {"a": 4}, 0)
    first, last = integer.layers
    silent = type(first)(first.layer, torch.zeros_like(first.weight), torch.zeros_like(first.bias), 4, 0)
    integer = IntegerNetwork(network, [silent, last])
    write_integer(tmp_path / "q.pth.tar", integer, 0, {})
    image = random_image(network.in_shape, 0)
    result = synthesizer.run(integer, tmp_path / "q.pth.tar", "cifar10", image, tmp_path / "synthesis")
    assert result.figures.bias_bytes == 4
    assert any("zero" in warning for warning in result.warnings)


@pytest.mark.slow
def test_on_the_command_line(checkout, data_root, tmp_path):
    done = call(
        "model=nascifarnet",
        "dataset=cifar10",
        "stages=[synthesize]",
        f"checkpoint={data_root}/ai8x/ai85-cifar10-qat8.pth.tar",
        f"dataset.root={data_root}",
        "synthesis=ai8x",
        f"synthesis.path={checkout}",
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.stdout.splitlines() if "│" in line]
    assert ["cycles", "228,217", "synthesized"] in cells
    assert ["weight memory", "301,760 bytes", "counted"] in cells
    assert ["bias memory", "842 bytes", "counted"] in cells
    assert ["multiply-accumulates", "36,180,992", "counted"] in cells
