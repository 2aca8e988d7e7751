"""What is typed and has no effect is told; what counts is not."""

import logging

import pytest

from maxexp.run.execution import tell_without_effect
from maxexp.run.without_effect import without_effect
from tests.conftest import composed


@pytest.mark.parametrize(
    ("typed", "choice"),
    [
        ("recipe.momentum=0.8", "recipe.optimizer=sgd"),
        ("recipe.warmup=0.1", "recipe.schedule=onecycle"),
        ("recipe.gamma=0.1", "recipe.schedule=multistep"),
        ("recipe.milestones=[0.5]", "recipe.schedule=multistep"),
        ("recipe.qat_learning_rate=0.1", "quantization=qat"),
        ("quantization.start_epoch=3", "quantization=qat"),
        ("quantization.layer_bits.fc=4", "quantization=ptq"),
        ("trainer.max_epochs=3", "stages=[train,quantize,evaluate]"),
        ("recipe.learning_rate=0.1", "stages=[train,quantize,evaluate]"),
        ("synthesis.timeout_s=5", "synthesis=ai8x"),
        ("board.images=3", "board=emulated"),
        ("board.application=serial", "quantization=ptq"),
    ],
)
def test_a_key_without_effect_is_told_with_what_it_needs(typed, choice):
    others = {
        "recipe.schedule=onecycle": "recipe.schedule=constant",
        "quantization=qat": "quantization=ptq",
        "quantization=ptq": "quantization=float",
        "stages=[train,quantize,evaluate]": "stages=[synthesize]",
        "synthesis=ai8x": "synthesis.referee=never",
    }
    added = f"+{typed}" if "layer_bits." in typed else typed
    given = [*([others[choice]] if choice in others else []), added]
    (told,) = without_effect(composed(*given), given)
    assert told.startswith(f"{typed.partition('=')[0]} has no effect here: it needs ")
    assert choice.partition("=[")[0].rstrip("s") in told or choice in told or "a board" in told or " or ptq" in told
    given = [choice, added]
    assert not without_effect(composed(*given), given)


def test_presets_and_what_they_set_are_not_told():
    assert not without_effect(composed("stages=[synthesize]", "recipe=sgd"), ["stages=[synthesize]", "recipe=sgd"])


def test_the_data_of_a_library_have_no_folder(caplog):
    with caplog.at_level(logging.WARNING):
        tell_without_effect(composed("dataset.root=/x"), ["dataset.root=/x", "dataset.root=/x"])
    assert [record.getMessage() for record in caplog.records] == [
        "dataset.root has no effect here: it needs data of your own; these are part of a Python package"
    ]
