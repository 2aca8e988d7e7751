"""Addresses lose their passwords and tokens, whatever they look like, and nothing else."""

import json
import os
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from requests.utils import get_auth_from_url
from sqlalchemy.engine import make_url

from maxexp.base.secrets import (
    KEPT,
    address_without_secrets,
    complete,
    keep,
    values_without_secrets,
    without_secrets,
)
from tests.base.languages.texts import texts

SECRET = "S3CRET"
DATABASES = ("postgresql", "postgresql+psycopg", "mysql+pymysql", "mssql+pyodbc")

words = texts.filter(lambda text: not any(c.isspace() for c in text)).map(lambda text: text.strip("\x1c\x1d\x1e\x1f"))
passwords = st.tuples(words, words).map(SECRET.join)


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("http://bob:secret@host:5000/x", "http://host:5000/x"),
        ("http://bob:s@cret@host:5000", "http://host:5000"),
        ("http://host:5000/me@lab", "http://host:5000/me@lab"),
        ("sqlite:////data/me@lab/mlflow.db", "sqlite:////data/me@lab/mlflow.db"),
        ("http://bob:se/cr?et#@host/x", "http://host/x"),
        ("http://t0ken@host", "http://host"),
        ("http://[::1]:5000/a@b", "http://[::1]:5000/a@b"),
        ("https://host/x?token=abc&sslmode=require#/y", "https://host/x?sslmode=require#/y"),
        ("https://host/x?%74oken=abc", "https://host/x"),
        ("postgresql+psycopg://me:p%40w/12@host:5432/db", "postgresql+psycopg://me@host:5432/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("postgresql:///db?host=/run&password=x&user=me", "postgresql:///db?host=/run&user=me"),
        ("journal:////nfs/me@lab?x=y", "journal:////nfs/me@lab?x=y"),
        ("grpc://host:13000", "grpc://host:13000"),
        ("git+https://t0ken@github.com/a/b.git@v1", "git+https://github.com/a/b.git@v1"),
        ("databricks://t0ken@host", "databricks://host"),
        ("https://host/x?t0ken", "https://host/x"),
        ("https://host/x;token=t0ken", "https://host/x"),
        ("sqlite+pysqlcipher://:secret@/x.db", "sqlite+pysqlcipher://@/x.db"),
    ],
)
def test_user_and_password_are_left_out_of_a_uri(uri, shown):
    assert address_without_secrets(uri) == without_secrets(uri) == shown
    assert without_secrets(f"store {uri} fails") == f"store {shown} fails"
    assert values_without_secrets([f"tracking.uri={uri}"]) == [f"tracking.uri={shown}"]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http:/bob:secret@host", "http:/host"),
        ("http:bob:secret@host/x", "http:host/x"),
        ("https//bob:secret@host", "https//host"),
        ("bob:secret@host:5000", "host:5000"),
        ("host:5000?token=secret", "host:5000"),
        ("sqlite://bob:secret@host/x.db", "sqlite://bob@host/x.db"),
        ("/data/me@lab:1/runs", "/data/me@lab:1/runs"),
        ("me@lab/runs", "me@lab/runs"),
    ],
)
def test_a_mistyped_address_is_refused_without_its_password(address, shown):
    assert address_without_secrets(address) == shown


def test_a_configuration_loses_its_passwords_and_nothing_else():
    """The resolved configuration is masked as a whole, and a resumed run is read from it."""
    config = {"uri": "http://host:5000", "experiment": "digits", "run_name": "me@lab", "other": "//bob:secret@host"}
    masked = yaml.safe_load(yaml.safe_dump(values_without_secrets(config), sort_keys=False))
    assert masked == {**config, "other": "//host"}


@given(passwords)
@example(f"@{SECRET}")
@example(f"/{SECRET}/")
@example(f"?x={SECRET}")
@example(f"#{SECRET}")
@example(f"{SECRET}:@:")
def test_no_password_of_a_server_is_left(password):
    for written in (password, quote(password, safe="", errors="surrogateescape")):
        address = f"http://user:{written}@host:5000/x"
        if written[:1].isdecimal():  # it might be a port
            continue
        assert address_without_secrets(address) == "http://host:5000/x"
        assert SECRET not in without_secrets(f"tracking.uri={address} fails")
        assert get_auth_from_url(address_without_secrets(address)) == ("", "")


@given(passwords, st.sampled_from(DATABASES))
@example(f"1/{SECRET}", "postgresql")
def test_no_password_of_a_database_is_left_and_its_user_is(password, scheme):
    for written in (password, quote(password, safe="", errors="surrogateescape")):
        shown = address_without_secrets(f"{scheme}://me:{written}@host:5432/db?sslmode=require")
        url = make_url(shown)
        assert SECRET not in shown and url.password is None
        assert (url.username, url.host, url.port, url.database) == ("me", "host", 5432, "db")
        assert SECRET not in without_secrets(f"cannot open {scheme}://me:{written}@host/db: gone")


@given(passwords.map(lambda text: quote(text, safe="", errors="surrogateescape")), st.sampled_from("?&#"))
def test_no_token_in_an_option_is_left(token, sign):
    for name in ("token", "access_token", "password", "sslpassword", "api%5Fkey", "X-Sig"):
        for scheme in ("https", *DATABASES):
            address = f"{scheme}://host/x?sslmode=require{sign}{name}={token}"
            assert SECRET not in address_without_secrets(address) and SECRET not in without_secrets(f"x {address}")


@given(passwords.map(lambda text: f"{text} {SECRET}"))
def test_an_address_that_is_a_whole_value_may_have_blanks(password):
    value = {"tracking": {"uri": f"https://me:p{password}@host"}, "list": [f"postgresql://me:{password}@host/db"]}
    assert SECRET not in json.dumps(values_without_secrets(value))


def test_an_address_is_whole_again_where_it_is_needed(monkeypatch):
    monkeypatch.setenv(KEPT, "{}")
    assert keep("http://me:pw@host/a") == "http://host/a" and keep("postgresql://u:x@h/d") == "postgresql://u@h/d"
    assert keep("sqlite:///x.db") == "sqlite:///x.db" and len(json.loads(os.environ[KEPT])) == 2
    assert complete("http://host/a") == "http://me:pw@host/a"
    assert complete("postgresql://u@h/d") == "postgresql://u:x@h/d"
    assert complete("http://other") == "http://other"
    assert complete("http://other", None, "http://me:pw@other") == "http://me:pw@other"
