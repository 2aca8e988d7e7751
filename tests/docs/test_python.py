"""The Python of the guides runs as it stands, each page in one go."""

import json
import re

import pytest

from tests.docs.pages import PAGES
from tests.runs import REPOSITORY

BLOCK = re.compile(r"```python\n(.*?)```", re.DOTALL)
GUIDES = [page for page in PAGES if BLOCK.search(page.read_text())]
NOTEBOOKS = sorted((REPOSITORY / "docs").rglob("*.ipynb"))


@pytest.mark.parametrize("page", GUIDES, ids=lambda page: page.stem)
def test_a_guide_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec("\n".join(BLOCK.findall(page.read_text())), {})


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda page: page.stem)
def test_a_notebook_runs(notebook, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    exec("\n".join("".join(cell["source"]) for cell in cells), {})


def test_there_are_guides_and_a_notebook():
    assert len(GUIDES) >= 2 and NOTEBOOKS
