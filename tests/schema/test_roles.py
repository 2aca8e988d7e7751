"""What each key is to the result, from where it is declared."""

import pytest

from maxexp.base.roles import Role
from maxexp.schema.config import to_plain
from maxexp.schema.roles import changes_result, declared_keys, role_of
from maxexp.tracking.flatten import flatten
from tests.conftest import composed

PLACES = {"tracking", "resume", "dataset.root", "dataset.cache_dir", "synthesis.path", "synthesis.python"}
PLACES |= {"board.connection"}
OTHERS = {
    "dataset.download": Role.machine,
    "trainer.progress": Role.machine,
    "synthesis.timeout_s": Role.machine,
    "synthesis.referee": Role.machine,
    "board.compiler": Role.machine,
    "board.application": Role.machine,
    "trainer.threads": Role.rounding,
    "synthesis.method": Role.evidence,
    "board.kind": Role.evidence,
}


def test_all_other_keys_decide_results():
    declared = {key: each.role for key, each in declared_keys().items() if each.role is not Role.result}
    assert declared == {**dict.fromkeys(PLACES, Role.place), **OTHERS}


@pytest.mark.parametrize(
    ("key", "role"),
    [
        ("tracking.uri", Role.place),
        ("board.connection.port", Role.place),
        ("board.connection", Role.place),
        ("board.images", Role.result),
        ("trainer.precision", Role.result),
        ("trainer.accelerator", Role.result),
        ("checkpoint", Role.result),
        ("model.layers.conv1.op", Role.result),
        ("a.key.of.another.version", Role.result),
    ],
)
def test_a_key_has_the_role_of_the_group_around_it(key, role):
    assert role_of(key) is role


def test_the_schema_is_walked_whole():
    """Whatever a run records is declared, but for what the user names."""
    keys = flatten(to_plain(composed("board=max78000fthr", "augmentation=deck")))
    free = ("model.layers.", "quantization.layer_bits.")
    assert {key for key in keys if not key.startswith(free)} <= declared_keys().keys()
    assert sum(map(changes_result, keys)) < len(keys)
