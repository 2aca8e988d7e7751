"""MLflow finds what has the value, and the question is never a wrong one."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from mlflow.tracking import MlflowClient

from maxexp.base.languages.mlflow_search import equals
from tests.base.languages.texts import WORDS, texts

storable = texts.filter(lambda text: text.isprintable() or text.encode("utf-8", "ignore").decode() == text)


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> MlflowClient:
    return MlflowClient(f"sqlite:///{tmp_path_factory.mktemp('search')}/mlflow.db")


@pytest.fixture(scope="module")
def run_id(client) -> str:
    return client.create_run("0").info.run_id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(storable.filter(bool))
@example("it's")
@example('"it\'s"')
@example("ends in \\")
@example("a\\'b")
@example("[a]*?%_")
@example("two\nlines; -- x")
@example("' OR tags.x != '")
def test_a_run_is_found_by_any_value_of_a_tag(client, run_id, value):
    client.set_tag(run_id, "name", value)
    assert [run.info.run_id for run in client.search_runs(["0"], equals("tags.name", value))] == [run_id]


@pytest.mark.parametrize("value", [word for word in WORDS if word])
def test_words_are_values_too(client, run_id, value):
    client.set_tag(run_id, "name", value)
    assert client.search_runs(["0"], equals("tags.name", value))
    assert not client.search_runs(["0"], equals("tags.name", f"{value}x"))


def test_case_is_kept_apart(client, run_id):
    client.set_tag(run_id, "name", "It's")
    assert not client.search_runs(["0"], equals("tags.name", "it's"))
