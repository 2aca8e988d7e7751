"""What is seen of a network between its layers, and that looking changes nothing."""

import pytest
import torch

from maxexp.quantization.simulate.observation import observe

RESIDUAL = {
    "conv1": {"op": "conv2d", "out_channels": 4, "kernel_size": 3},
    "conv2": {"op": "conv2d", "out_channels": 4, "kernel_size": 3},
    "add": {"op": "passthrough", "inputs": ["conv1", "conv2"], "eltwise": "add"},
}


def look(module, inputs, output):
    sums = {}
    observe(module, inputs, 3, output, lambda name, tensor: sums.setdefault(name, tensor))
    return sums


def hooks(module):
    return [hook for layer in module.layers() for hook in (*layer._forward_hooks, *layer._forward_pre_hooks)]


def test_outputs_and_sums_are_those_of_the_network(make_network, make_module, random_images):
    network = make_network(RESIDUAL, (3, 12, 12))
    module = make_module(network).train()
    images = random_images(network, 8).float() / 128
    seen = {}
    sums = look(module, images, lambda name, tensor: seen.setdefault(name, []).append(tensor))
    assert [len(part) for part in seen["conv1"]] == [3, 3, 2]
    torch.testing.assert_close(torch.cat(seen["add"]).flatten(1), module.eval()(images).flatten(1))
    assert torch.equal(sums["conv1"], seen["conv1"][0] + seen["conv2"][0])


@pytest.mark.parametrize("training", [True, False])
def test_a_failure_leaves_the_module_as_it_was(make_network, make_module, random_images, training):
    def refuse(name, tensor):
        raise RuntimeError(name)

    network = make_network(RESIDUAL, (3, 12, 12))
    module = make_module(network).train(training)
    with pytest.raises(RuntimeError, match="conv1"):
        look(module, random_images(network, 2).float(), refuse)
    assert not hooks(module)
    assert module.training is training
