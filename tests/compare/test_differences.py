"""In which keys configurations differ."""

from maxexp.report.comparison.differences import differing_keys


def test_keys_that_change_no_result_are_no_difference():
    one = {"seed": "1", "trainer.threads": "1", "tracking.uri": "a", "dataset.root": "x", "recipe.momentum": "0.9"}
    other = {"seed": "2", "trainer.threads": "2", "tracking.uri": "b", "dataset.root": "y"}
    assert differing_keys([one, other]) == ["recipe.momentum", "seed"]


def test_layers_are_compared_within_one_network_only():
    layers = {"model.layers.conv1.out_channels": "8", "model.name": "a", "model.width": "1.0"}
    wider = {**layers, "model.layers.conv1.out_channels": "16"}
    assert differing_keys([layers, wider]) == ["model.layers.conv1.out_channels"]
    other = {**wider, "model.name": "b"}
    assert differing_keys([layers, other]) == ["model.name"]
    assert differing_keys([layers, wider, other]) == ["model.layers.conv1.out_channels", "model.name"]


def test_a_group_that_is_null_is_told_by_the_keys_it_has_elsewhere():
    with_it = {"augmentation.cutout.size": "8", "recipe.distillation.model.name": "a"}
    with_it |= {f"recipe.distillation.model.layers.{index}.op": "conv2d" for index in range(9)}
    assert differing_keys([{"augmentation.cutout": "null", "recipe.distillation": "null"}, with_it]) == [
        "augmentation.cutout.size",
        "recipe.distillation.model.name",
    ]


def test_one_run_differs_from_none():
    assert differing_keys([{"seed": "1"}]) == []
