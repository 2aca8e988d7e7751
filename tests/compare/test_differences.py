"""In which keys configurations differ."""

from maxexp.report.comparison.differences import UNUSED, differing_keys, setting


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


def test_what_a_run_did_not_look_at_is_no_difference():
    """A checkpoint that is evaluated has a recipe in its configuration, which nobody reads."""
    trained = {
        "stages": "['train', 'evaluate']",
        "trainer.max_epochs": "80",
        "recipe.learning_rate": "0.1",
        "seed": "1",
    }
    evaluated = {"stages": "['evaluate']", "trainer.max_epochs": "20", "recipe.learning_rate": "0.004", "seed": "2"}
    assert differing_keys([trained, evaluated]) == ["seed", "stages"]
    longer = {**trained, "trainer.max_epochs": "90"}
    assert differing_keys([trained, longer, evaluated]) == ["seed", "stages", "trainer.max_epochs"]
    assert setting("trainer.max_epochs", evaluated) == UNUSED and setting("trainer.max_epochs", longer) == "90"


def test_the_mapping_of_pixels_is_looked_at_by_an_evaluation():
    one = {"stages": "[evaluate]", "augmentation.normalize.mapping": "p128", "augmentation.cutout.size": "8"}
    other = {**one, "augmentation.normalize.mapping": "ai8x", "augmentation.cutout.size": "4"}
    assert differing_keys([one, other]) == ["augmentation.normalize.mapping"]
