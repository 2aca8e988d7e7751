"""Checkpoints that a kill may have cut short."""

import pytest
import torch

from maxexp.training.resume_files import newest_checkpoint


def save(path, epoch):
    torch.save({"maxexp_epoch": epoch, "state_dict": {"weight": torch.zeros(100)}}, path)
    return path


def test_the_later_epoch_is_the_newest_checkpoint_whatever_its_file(tmp_path):
    old, new = save(tmp_path / "b", 9), save(tmp_path / "a", 10)
    assert newest_checkpoint([old, new]) == newest_checkpoint([new, old]) == new
    assert newest_checkpoint([]) is None


@pytest.mark.parametrize("content", [[1, 2], {"maxexp_epoch": "7"}, {"maxexp_epoch": [1]}, {}])
def test_a_file_of_something_else_leaves_the_other_one(content, tmp_path):
    torch.save(content, tmp_path / "other")
    assert newest_checkpoint([tmp_path / "other", save(tmp_path / "whole", 1)]) == tmp_path / "whole"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 100, 1000, -1])
def test_a_file_cut_short_anywhere_leaves_the_other_one(size, tmp_path):
    whole, cut = save(tmp_path / "whole", 1), save(tmp_path / "cut", 2)
    cut.write_bytes(cut.read_bytes()[:size])
    assert newest_checkpoint([cut, whole]) == whole
    assert newest_checkpoint([cut]) is None
