"""Markdown shows texts as they are, and no text becomes markup. The reader is markdown-it, a CommonMark parser."""

import html
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from maxexp.base.languages.markdown import (
    markdown_anchor,
    markdown_code,
    markdown_link,
    markdown_picture,
    markdown_table,
    markdown_text,
)
from maxexp.base.languages.printable import printable
from tests.base.languages.texts import texts

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
lines = texts.map(printable).map(str.strip)
HARD = (
    "*a* _b_ __c__",
    "a|b",
    "\\|",
    "<script>",
    "&lt;",
    "[x](y)",
    "![x](y)",
    "`x`",
    "``",
    "~~x~~",
    "a\\",
    "$x$",
    "_",
)


def inline(text: str) -> list[Token]:
    """What a line of a paragraph consists of; it begins with a letter, so that no block begins."""
    _, paragraph, _ = READER.parse(f"x{text}x")
    return paragraph.children or []


def cells(*row: str) -> list[list[Token]]:
    tokens = READER.parse(markdown_table(["a", "b"], [row]))
    found = [token.children or [] for token in tokens if token.type == "inline"]
    return found[2:]


def shown(tokens: list[Token]) -> str:
    assert all(token.type == "text" for token in tokens), tokens
    return "".join(token.content for token in tokens)


@given(lines)
@example("a_b_c _d_ __e")
@example("a\\")
def test_a_text_within_a_line(text):
    assert shown(inline(markdown_text(text))) == f"x{text}x"


@pytest.mark.parametrize("text", HARD)
def test_hard_texts(text):
    assert shown(inline(markdown_text(text))) == f"x{text}x"
    assert [shown(cell) for cell in cells(markdown_text(text), "z")] == [text, "z"]


@given(lines, lines)
def test_texts_in_the_cells_of_a_table(one, other):
    found = cells(markdown_text(one), markdown_text(other))
    assert [shown(cell) for cell in found] == [one, other]


@given(texts.map(printable).filter(bool))
@example("`")
@example("a``b`")
@example(" a ")
@example("  ")
def test_code_within_a_line(text):
    _, code, _ = inline(f" {markdown_code(text)} ")
    assert code.type == "code_inline" and code.content == text


@given(lines.filter(bool), texts.filter(bool))
@example("a", "x y)[z](<>)\n")
def test_links_show_their_text_and_lead_to_their_target(text, target):
    _, opening, *between, closing, _ = inline(f" {markdown_link(text, target)} ")
    assert (opening.type, closing.type) == ("link_open", "link_close") and shown(between) == text
    assert unquote(str(opening.attrs["href"])) == printable(target)
    _, picture, _ = inline(f" {markdown_picture(text, target)} ")
    assert picture.type == "image" and shown(picture.children or []) == text


@given(texts.filter(bool))
def test_an_anchor_is_what_a_link_to_it_names(name):
    opening = next(token for token in inline(markdown_link("x", f"#{name}")) if token.type == "link_open")
    anchor = html.unescape(markdown_anchor(name).removeprefix('<a name="').removesuffix('"></a>'))
    assert opening.attrs["href"] == f"#{anchor}"


def test_numbers_are_aligned_to_the_right():
    table = markdown_table(["", "value"], [["a", "1"], ["b", ""]], numbers=[1])
    assert table == "| | value |\n|--|--:|\n| a | 1 |\n| b | |"


@given(st.lists(st.lists(st.text(max_size=5), min_size=3, max_size=3), max_size=4))
def test_no_cell_changes_the_shape(rows):
    lines = markdown_table(["a", "b", "c"], rows).split("\n")
    assert len(lines) == 2 + len(rows)
    assert all(line.replace("\\|", "").count("|") == 4 for line in lines)


def test_an_empty_text_is_no_code():
    assert markdown_code("") == ""


@given(st.sampled_from(["cifar10_nascifarnet", "8 bits, 2x2 (ours)", "1.5 %", "wrn16_2-cifar10"]))
def test_usual_names_stay_as_they_are(name):
    assert markdown_text(name) == name
