"""Mutated cards of networks: in the zoo's table, or refused in one line."""

import yaml

from maxexp.zoo.cards import table
from tests.fuzz import fuzz, mutated

CARD = {
    "training": {"epochs": 300, "hours": 5.25, "seed": 1, "validation_accuracy": 0.86},
    "test": {"integer": {"accuracy": 0.85, "correct": 8500, "images": 10000}, "float": {"accuracy": 0.86}},
    "hardware": {"source": "estimated", "cycles": 123456, "weight_bytes": 400000},
    "machine": {"cpu": "x"},
}


def test_cards(tmp_path):
    path = tmp_path / "network" / "card.yaml"
    path.parent.mkdir()
    good = [yaml.safe_dump(CARD).encode()]
    words = [b"null", b"[]", b"{a: b}", b"&a [*a]", b"!!float x", b".nan", b"1e999", b"- ", b"? [a]", b"'", b"\xff"]

    def read(data: bytes) -> None:
        path.write_bytes(data)
        assert len(table(tmp_path).splitlines()) == 3

    fuzz("zoo card", read, mutated(good, words), good)
