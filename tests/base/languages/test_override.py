"""Hydra and OmegaConf give a key the text that was meant."""

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import example, given
from omegaconf import OmegaConf

from maxexp.base.languages.override import literal, literals, override_value
from tests.base.languages.texts import WORDS, texts

PARSER = OverridesParser.create()


def read_back(line: str) -> object:
    """What a key has after Hydra and OmegaConf have read an override."""
    override = PARSER.parse_override(line)
    assert not override.is_sweep_override()
    config = OmegaConf.create({"key": None})
    OmegaConf.update(config, "key", override.value())
    return OmegaConf.to_container(config, resolve=True)["key"]


@given(texts)
@example("${dataset.name}")
@example("\\${x}")
@example("\\\\${x}${y}\\")
@example("\\'")
@example("'\\")
@example("a,b")
@example("choice(1,2)")
def test_a_value_is_the_text(text):
    assert read_back(f"key={override_value(text)}") == text


@pytest.mark.parametrize("word", WORDS)
def test_words_stay_words(word):
    assert read_back(f"key={override_value(word)}") == word


@given(texts, texts)
def test_values_in_a_list_are_the_texts(one, other):
    assert read_back(f"key=[{override_value(one)},{override_value(other)}]") == [one, other]


@given(texts)
@example("${x}")
def test_a_literal_refers_to_nothing(text):
    assert OmegaConf.create({"a": literal(text)}).a == text
    nested = OmegaConf.create(literals({"a": [text, {"b": text}], "c": 1}))
    assert OmegaConf.to_container(nested, resolve=True) == {"a": [text, {"b": text}], "c": 1}


@pytest.mark.parametrize("text", ["sqlite:///mlruns/mlflow.db", "run:0a1b/checkpoints/x.pth.tar", "http://host:5000"])
def test_what_needs_no_quotes_gets_none(text):
    assert override_value(text) == text
