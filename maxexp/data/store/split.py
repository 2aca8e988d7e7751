"""Divisions of a set: seeded, with the classes' proportions in every part, or by the names of its images."""

from __future__ import annotations

import hashlib

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
    keys = np.random.PCG64(seed).random_raw(len(labels))
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
    """Returns the training and test images, as int64 indices, of a set that comes without a test split."""
    return stratified_split(labels, round(TEST_FRACTION * len(labels)), TEST_SEED)


def is_for_test(name: str) -> bool:
    """Tells whether an image of a set that grows is a test image: its name alone decides.

    So no image ever changes sides, whatever others come or go, and the test part is a fifth by chance only:
    a small class may be left without test images, or without others.
    """
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") < TEST_FRACTION * 2**64
