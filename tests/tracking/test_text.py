"""Texts made fit to be shown."""

import pytest
import yaml

from maxexp.tracking.text import without_password


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://bob:secret@host:5000/x", "http://host:5000/x"),
        ("http://bob:s@cret@host:5000", "http://host:5000"),
        ("http://host:5000/me@lab", "http://host:5000/me@lab"),
        ("sqlite:////data/me@lab/mlflow.db", "sqlite:////data/me@lab/mlflow.db"),
    ],
)
def test_user_and_password_are_left_out_of_a_uri(uri, shown):
    assert without_password(uri) == shown


def test_a_configuration_loses_its_passwords_and_nothing_else():
    """The resolved configuration is masked as a whole, and a resumed run is read from it."""
    config = {"uri": "http://host:5000", "experiment": "digits", "run_name": "me@lab", "other": "//bob:secret@host"}
    masked = yaml.safe_load(without_password(yaml.safe_dump(config, sort_keys=False)))
    assert masked == {**config, "other": "//host"}
