"""Seeded divisions of a labelled set in which every part has the classes' proportions."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

IndexArray = np.ndarray

TEST_FRACTION = 0.2
TEST_SEED = 0
"""Not `dataset.split_seed`: whatever is tried for validation, the test images stay unseen."""


def stratified_order(labels: IndexArray, seed: int) -> IndexArray:
    """An order of all images in which every beginning has nearly the proportions of the whole.

    The k-th of a class's n images (at random) stands at (k + 0.5) / n, so that the first `count`
    images are shared out by Webster's rule. Beginnings of different length contain one another.

    Args:
        labels: int64 (N,).
        seed: 0 or more.

    Returns:
        int64 (N,), a permutation.
    """
    # The raw stream of a bit generator is the part of numpy's randomness that never changes.
    return _stratified(labels, np.random.PCG64(seed).random_raw(len(labels)))


def _stratified(labels: IndexArray, keys: np.ndarray) -> IndexArray:
    """The order that keys, one uint64 for each image, give it within its class."""
    place = np.empty(len(labels))
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        shuffled = members[np.argsort(keys[members], kind="stable")]
        place[shuffled] = (np.arange(len(members)) + 0.5) / len(members)
    return np.lexsort((keys, place))


def stratified_split(labels: IndexArray, count: int, seed: int) -> tuple[IndexArray, IndexArray]:
    """Sets `count` images aside, the same on every platform.

    Args:
        labels: int64 (N,).
        count: how many images the second part gets, 0 to N.
        seed: 0 or more.

    Returns:
        Two ascending int64 index arrays of N - count and count entries.
    """
    order = stratified_order(labels, seed)
    return np.sort(order[count:]), np.sort(order[:count])


def fixed_test_split(labels: IndexArray) -> tuple[IndexArray, IndexArray]:
    """Training and test images, as int64 indices, of a set that comes without a test split."""
    return stratified_split(labels, round(TEST_FRACTION * len(labels)), TEST_SEED)


def split_by_name(labels: IndexArray, names: Sequence[str]) -> tuple[IndexArray, IndexArray]:
    """The same for a set that grows: an image's name decides, so that most others stay where they were.

    Args:
        labels: int64 (N,).
        names: of the images, each its own.
    """
    digests = (hashlib.sha256(name.encode()).digest() for name in names)
    keys = np.array([int.from_bytes(digest[:8], "big") for digest in digests], dtype=np.uint64)
    count = round(TEST_FRACTION * len(labels))
    order = _stratified(labels, keys)
    return np.sort(order[count:]), np.sort(order[:count])
