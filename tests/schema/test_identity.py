"""Whether two runs are the same experiment."""

import pytest

from maxexp import RESULTS_VERSION
from maxexp.schema.config import to_plain
from maxexp.schema.identity import Identity, named_mappings
from maxexp.tracking.flatten import masked
from maxexp.tracking.provenance import RESULTS_TAG
from tests.conftest import composed


def recorded(*overrides: str, data: dict | None = None, results: int = RESULTS_VERSION) -> Identity:
    """Of a run as a record has it."""
    return Identity.recorded(masked(to_plain(composed(*overrides))), data or {}, {RESULTS_TAG: str(results)})


def asked(*overrides: str, data: dict | None = None) -> Identity:
    return Identity.of(composed(*overrides), data)


SAME = [
    "dataset.root=/x",
    "dataset.cache_dir=/x",
    "dataset.download=false",
    "trainer.threads=2",
    "trainer.progress=false",
    "tracking.experiment=x",
    "tracking.uri=http://bob:secret@server",
    "synthesis.path=/x",
    "synthesis.timeout_s=9",
    "resume=abc",
]
OTHER = ["seed=2", "trainer.precision=float32", "trainer.accelerator=cpu", "checkpoint=x", "stages=[train]"]


@pytest.mark.parametrize("override", SAME)
def test_places_and_the_use_of_a_machine_make_no_other_experiment(override):
    assert asked().first_mismatch(recorded(override)) is None
    assert asked().differing(recorded(override)) == []
    assert asked().plain() == asked(override).plain()


@pytest.mark.parametrize("override", OTHER)
def test_everything_else_does(override):
    key = override.partition("=")[0]
    assert asked().first_mismatch(recorded(override)) == key
    assert key in asked().differing(recorded(override))
    assert asked().plain() != asked(override).plain()


def test_another_version_of_results_is_another_experiment():
    assert asked().first_mismatch(recorded(results=RESULTS_VERSION + 1)) == "version of results"
    assert recorded(results=RESULTS_VERSION + 1).plain() != asked().plain()
    without = Identity.recorded(masked(to_plain(composed())), {}, {})
    assert asked().first_mismatch(without) == "version of results"


def test_other_images_are_another_experiment_where_both_are_known():
    """The record keeps the beginning of a digest."""
    mine = asked(data={"own-train": "abcd"})
    assert mine.first_mismatch(recorded(data={"own-train": "ab", "teacher-train": "x"})) is None
    assert mine.first_mismatch(recorded()) is None
    assert mine.first_mismatch(recorded(data={"own-train": "b"})) == "dataset"
    assert mine.plain() != asked(data={"own-train": "b"}).plain()


def test_a_key_that_is_gone_or_new_is_told_by_its_default():
    wanted = {"seed": "1", "trainer.max_epochs": "5", "new.key": "x"}
    before = Identity({"seed": "1", "trainer.max_epochs": "5", "old.key": "y"})
    assert Identity(wanted, at_default=frozenset({"new.key"})).first_mismatch(before) is None
    assert Identity(wanted).first_mismatch(before) == "new.key"
    assert Identity(wanted).first_mismatch(Identity({"seed": "1", "trainer.max_epochs": "6"})) == "trainer.max_epochs"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([], ["augmentation.random_crop={padding:4}"]),
        ([], ["augmentation.normalize=null"]),
        ([], ["recipe=distill", "recipe.distillation.checkpoint=x"]),
        (["quantization.layer_bits={conv1:4}"], ["quantization.layer_bits={conv1:4,fc:4}"]),
        (["quantization.layer_bits={}"], ["quantization.layer_bits={fc:4}"]),
    ],
)
def test_what_is_set_in_one_configuration_only_makes_another_experiment(one, other):
    overrides = [["augmentation=none", *each] for each in (one, other)]
    first, second = (Identity(asked(*each).params) for each in overrides)
    assert first.first_mismatch(first) is None
    assert first.first_mismatch(second) and second.first_mismatch(first)


def test_a_network_with_another_layer_is_another_network():
    layers = {"model.name": "net", "model.layers.a.op": "conv2d"}
    more = {**layers, "model.layers.b.op": "linear"}
    for one, other in ((layers, more), (more, layers)):
        assert Identity(one, at_default=frozenset(one)).first_mismatch(Identity(other)) == "model.layers.b"
    teacher = {"recipe.distillation.model.layers.a.op": "conv2d"}
    assert Identity(teacher, at_default=frozenset(teacher)).first_mismatch(Identity({}))


def test_mappings_are_those_of_the_schema():
    layers = {"model.layers", "recipe.distillation.model.layers"}
    assert set(named_mappings()) == {*layers, "quantization.layer_bits", "trainer.callbacks"}


def test_better_evidence_than_asked_for_is_welcome_but_not_worse():
    better = ("synthesis=ai8x", "board=emulated")
    assert asked().first_mismatch(recorded(*better)) is None
    assert asked(*better).first_mismatch(recorded()) == "synthesis.method"
    assert asked("board.images=7").first_mismatch(recorded(*better)) is None  # counts where there is a board
    assert asked(*better, "board.images=7").first_mismatch(recorded(*better)) == "board.images"
    # Whoever compares or searches asks for the very same.
    assert asked().differing(recorded(*better)) == ["board.images", "board.kind", "synthesis.method"]


@pytest.mark.parametrize("fewer", ["{_target_:torch.optim.RMSprop}", "{_target_:torch.optim.RMSprop,alpha:0.9}"])
def test_an_argument_more_or_less_of_a_class_is_another_experiment(fewer):
    more = "{_target_:torch.optim.RMSprop,alpha:0.9,eps:0.1}"
    assert asked(f"recipe.optimizer={fewer}").first_mismatch(recorded(f"recipe.optimizer={more}"))
    assert asked(f"recipe.optimizer={more}").first_mismatch(recorded(f"recipe.optimizer={fewer}"))
    assert asked(f"recipe.optimizer={more}").first_mismatch(recorded(f"recipe.optimizer={more}")) is None
    assert asked().first_mismatch(recorded(f"recipe.optimizer={more}"))
    assert asked(f"recipe.optimizer={more}").first_mismatch(recorded())
