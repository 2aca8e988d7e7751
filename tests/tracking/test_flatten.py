import json
from enum import Enum

from hypothesis import given
from hypothesis import strategies as st

from maxexp.tracking import flatten

Color = Enum("Color", ["RED"])

keys = st.text(alphabet="abc_1", min_size=1, max_size=3)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.lists(st.integers())
)
trees = st.recursive(st.dictionaries(keys, leaves), lambda inner: st.dictionaries(keys, leaves | inner), max_leaves=8)


def test_texts_of_each_kind_of_value():
    config = {
        "none": None,
        "flag": True,
        "list": [1, None, "ä", {"a": False}],
        "model": {"layers": {"conv1": {"op": "conv2d", "width": 0.5}}, "empty": {}},
        "enum": Color.RED,
        1: "x",
    }
    assert flatten(config) == {
        "none": "null",
        "flag": "true",
        "list": '[1, null, "ä", {"a": false}]',
        "model.layers.conv1.op": "conv2d",
        "model.layers.conv1.width": "0.5",
        "model.empty": "{}",
        "enum": "RED",
        "1": "x",
    }


@given(trees)
def test_nothing_is_lost_and_everything_is_text(tree):
    rebuilt = {}
    for key, text in flatten(tree).items():
        *parents, leaf = key.split(".")
        node = rebuilt
        for parent in parents:
            node = node.setdefault(parent, {})
        node[leaf] = json.loads(text)
    assert rebuilt == tree
