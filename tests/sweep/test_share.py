"""How workers share the cores of a machine."""

import os

import pytest

from maxexp.sweep.workers.share import threads_each


@pytest.mark.parametrize(
    ("workers", "allowed", "expected"),
    [
        (1, None, 8),
        (3, None, 2),
        (20, None, 1),
        (1, "1", 1),
        (2, "6", 4),
        (2, "3,1", 3),
        (2, "0", 4),
        (2, "many", 4),
    ],
)
def test_no_worker_has_more_threads_than_a_single_run(workers, allowed, expected, monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if allowed is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    assert threads_each(workers) == expected
