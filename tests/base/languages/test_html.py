"""The script element of a page has the values that were put in, and ends where it ends."""

import json
from html.parser import HTMLParser

from hypothesis import example, given
from hypothesis import strategies as st

from maxexp.base.languages.html import script_json
from tests.base.languages.texts import texts


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@given(st.dictionaries(texts, st.lists(texts, max_size=3), max_size=3))
@example({"</script>": ["<!--", "<script>", "\u2028", "\udcff"]})
def test_values_come_back(value):
    page = f'<script type="application/json">{script_json(value)}</script>'
    page.encode("ascii")
    reader = Reader()
    reader.feed(page)
    assert reader.tags == ["script"] and json.loads(reader.text) == value
