"""What is printed can be pasted: bash, and Python's shlex where all is visible, give the words back."""

import os
import shlex
import subprocess

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maxexp.base.languages.shell import shell_command
from tests.base.languages.texts import texts


@settings(max_examples=50, deadline=None)
@given(st.lists(texts, min_size=1, max_size=8))
@example(["it's", '"', "$HOME", "`id`", "a\\", "~", "-x", "#", "!x", "", "a\nb", "\udcff\udc80", "\u202e", "\x1b[2J"])
def test_bash_splits_it_into_the_same_words(words):
    line = shell_command(words)
    assert line.isprintable() or not any(character in line for character in "\n\r\x1b\u202e")
    done = subprocess.run(
        ["bash", "--norc", "-c", f"printf '%s\\0' {os.fsdecode(line.encode())}"], capture_output=True, check=True
    )
    assert [os.fsdecode(word) for word in done.stdout.split(b"\0")[:-1]] == words


@given(st.lists(texts.filter(str.isprintable)))
def test_shlex_does_so_where_all_is_visible(words):
    assert shlex.split(shell_command(words)) == words


@pytest.mark.parametrize("word", ["resume=abc", "tracking.uri=sqlite:///mlruns/mlflow.db", "-m"])
def test_plain_words_stay_as_they_are(word):
    assert shell_command(["python", word]) == f"python {word}"
