"""SQLAlchemy opens the file that was meant, whatever it is called."""

import os
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from maxexp.base.languages.database_uri import SQLITE, database_path, database_uri, typed_path
from tests.base.languages.texts import path_parts

FOLDERS = ("what?", "a%20b", "a%3Fb", "100%", "a#b", "it's", "{x}", "$x", "a b", "é", "a@b:c", "x\ny")


@given(st.lists(path_parts, min_size=1, max_size=3))
@example(["what?", "mlflow.db"])
@example(["%3F%25", "a?b=c&d"])
@example(["\udcff", "mlflow.db"])
def test_sqlalchemy_reads_the_path_that_was_written(parts):
    path = Path("/", *parts)
    uri = database_uri(path)
    assert make_url(uri).database == str(path) and not make_url(uri).query
    assert database_path(uri) == path


@given(st.lists(path_parts, min_size=1, max_size=2))
def test_no_two_files_have_one_uri(parts):
    path = Path("/", *parts)
    assert database_uri(path) != database_uri(Path(f"{path}?")) != database_uri(Path(f"{path}%3F"))


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_file_is_made_there_and_nothing_elsewhere(tmp_path, folder):
    (tmp_path / folder).mkdir()
    engine = create_engine(database_uri(tmp_path / folder / "x.db"))
    with engine.begin() as connection:
        connection.execute(text("create table x (y)"))
    assert os.listdir(tmp_path) == [folder] and os.listdir(tmp_path / folder) == ["x.db"]


@given(st.lists(path_parts, min_size=1, max_size=3))
def test_a_typed_path_is_taken_character_by_character(parts):
    path = Path("/", *parts[:-1], parts[-1].replace("?", ""), "x.db")
    assert typed_path(f"{SQLITE}{path}") == path


@pytest.mark.parametrize("uri", ["sqlite:///", "sqlite:///:memory:", "postgresql://host/name", "http://host"])
def test_what_is_no_file_has_no_path(uri):
    assert typed_path(uri) is None


def test_options_are_refused_rather_than_taken_for_a_part_of_the_name():
    with pytest.raises(ValueError, match=r"^\?timeout=30 is no part of a path"):
        typed_path("sqlite:///mlruns/mlflow.db?timeout=30")
