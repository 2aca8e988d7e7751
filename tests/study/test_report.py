"""What a study leaves: its page, its pictures, and its table in other files."""

import re
import statistics

import pytest

from maxexp.base.errors import ConfigError
from maxexp.base.shipped import experiments_dir
from maxexp.study.charts import draw, drawable
from maxexp.study.embed import BLOCK, embed_tables
from maxexp.study.figures import make_rows
from maxexp.study.markdown import results_markdown
from maxexp.study.records import RESULTS, Results
from tests.study.small import result, small


@pytest.fixture
def study(tmp_path):
    return small(tmp_path)


@pytest.fixture
def two_seeds():
    return [result("float", 1, 0.90), result("float", 2, 0.92)]


def page(study, results, states=None, **more) -> str:
    return results_markdown("small", study, make_rows(study, results, states or {}), ["chart"], **more)


def test_the_table_has_units_spreads_sources_and_links(study, two_seeds):
    table = [line for line in page(study, two_seeds, {("ptq", 1): "running"}).splitlines() if line.startswith("| ")]
    assert table[0] == "| | accuracy | time | speed-up | above float | runs |"
    assert table[1] == "| [the deck](#deck) | *85.00 %* | *4.570 ms* | 1.0x | -6.00 points | published |"
    assert table[2] == (
        "| [float](#float) | [91.00 ± 1.41 %](#float) | [2.000 ms](#float) <sup>est</sup> | "
        "[2.3x](#float) <sup>est</sup> | [+0.00 points](#float) | 2 runs |"
    )
    assert table[3] == "| [PTQ](#ptq) | – | – | – | – | seed 1 running |"


def test_every_link_of_the_page_leads_somewhere(study, two_seeds):
    text = page(study, two_seeds)
    anchors = set(re.findall(r'<a name="(\w+)"></a>', text))
    assert set(re.findall(r"\(#(\w+)\)", text)) == anchors == {"deck", "float", "ptq"}


def test_marks_are_explained_and_noise_is_told(study, two_seeds):
    text = page(study, two_seeds)
    assert "est: estimated by our model of the chip" in text and "*italics*: published by others" in text
    assert "mea: measured" not in text, "nothing was"
    assert "Pooled over 1 row it is 1.41 points of accuracy" in text


def test_findings_show_the_figures_that_decide_them(study, two_seeds):
    open_text = page(study, two_seeds)
    assert "- **open, ptq.time is missing**: the deck is slower" in open_text
    text = page(study, [*two_seeds, result("ptq", 1, 0.9)])
    figures = "the deck, time: 4.570 ms; PTQ, time: 2.000 ms, estimated"
    assert f"- **confirmed**: the deck is slower ({figures}; `deck.time > ptq.time`)" in text


def test_each_run_is_named_with_what_repeats_it(study, two_seeds):
    text = page(study, two_seeds, deleted={two_seeds[1].run_id})
    for run in two_seeds:
        assert f"`{run.command}` (run {run.run_id}, commit unknown" in text
    assert text.count("deleted in the tracking store since") == 1
    assert "the deck**: slide 5" in text
    assert f"`python -m maxexp.compare {two_seeds[0].run_id} {two_seeds[1].run_id}`" in text


def test_charts_show_what_there_is(study, two_seeds):
    rows = make_rows(study, two_seeds, {})
    assert drawable(study, rows) == ["chart", "gains"]
    assert drawable(study, make_rows(study, [], {})) == [], "published figures alone are no answer"
    chart = draw(study, study.charts["chart"], rows)
    (axes,) = chart.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time [ms], ours estimated", "accuracy [%]")
    assert {"float  91", "the deck  85"} == {text.get_text() for text in axes.texts}
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["ours", "published"]
    gains = draw(study, study.charts["gains"], rows).axes[0]
    assert gains.get_xlabel() == "above float [points]"
    chance = 2 * 2 * statistics.stdev([90, 92])
    assert [patch.get_width() for patch in gains.patches] == pytest.approx([chance, -6, 0])
    assert [label.get_text() for label in gains.get_yticklabels()] == ["the deck", "float"]


def test_labels_cover_neither_one_another_nor_a_bubble(tmp_path):
    """Eight networks; those of which one bubble covers another's centre share a label, the upper one first."""
    values = [
        (4570, 0.9003),
        (4570, 0.9013),
        (4580, 0.8576),
        (4564, 0.912),
        (4564, 0.909),
        (1970, 0.87),
        (1898, 0.88),
    ]
    references = {
        f"row{i}": {
            "label": f"a network with a name, {i}",
            "source": "x",
            "values": {"time": time, "accuracy": share},
        }
        for i, (time, share) in enumerate(values)
    }
    study = small(tmp_path, references={**references, "deck": {"label": "d", "source": "x"}})
    figure = draw(study, study.charts["chart"], make_rows(study, [result("float", 1, 0.84)], {}))
    figure.canvas.draw()
    (axes,) = figure.axes
    texts = [text.get_text().split("\n") for text in axes.texts]
    names = [line.split("  ")[0].rpartition(" ")[2] for text in texts for line in text]
    assert sorted(names) == [*map(str, range(7)), "float"]
    assert [line.split("  ")[1] for text in texts if "a network with a name, 1  90.13" in text for line in text] == [
        "90.13",
        "90.03",
    ]
    boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    pixels = figure.dpi / 72
    bubbles = [
        (*axes.transData.transform(collection.get_offsets()[0]), pixels * (collection.get_sizes()[0] / 3.1416) ** 0.5)
        for collection in axes.collections
        if len(collection.get_offsets())
    ]
    assert len(bubbles) == 2 * 8
    for box in boxes:
        for x, y, radius in bubbles:
            nearest = min(max(x, box.x0), box.x1), min(max(y, box.y0), box.y1)
            assert (nearest[0] - x) ** 2 + (nearest[1] - y) ** 2 >= radius**2


def test_a_marked_place_is_filled_from_the_results_alone(tmp_path, study):
    results = Results(tmp_path / "small" / RESULTS)
    text = "before\n<!-- study small -->\nold\n<!-- end -->\nafter"
    assert "No results yet: `python -m maxexp.study run small`" in embed_tables(text, tmp_path)
    results.add(result("float", 1, 0.9, study))
    embedded = embed_tables(text, tmp_path)
    assert "[90.00 %](small/results.md#float)" in embedded and "old" not in embedded
    assert "![accuracy against time](small/chart.png)" in embedded
    assert embedded.startswith("before\n<!-- study small -->\n") and embedded.endswith("<!-- end -->\nafter")
    assert embed_tables(embedded, tmp_path) == embedded


def test_a_result_of_another_configuration_is_not_shown(tmp_path, study):
    Results(tmp_path / "small" / RESULTS).add(result("float", 1, 0.9, small(tmp_path, overrides=["dataset.limit=9"])))
    small(tmp_path)
    assert "No results yet" in embed_tables("<!-- study small -->\n<!-- end -->", tmp_path)


def test_a_mark_of_a_study_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ConfigError, match="no such study"):
        embed_tables("<!-- study large -->\n<!-- end -->", tmp_path)


def test_the_documentation_shows_what_the_studies_found():
    """After new results: ``python -m maxexp.study readme``."""
    page = experiments_dir().parent / "docs" / "results.md"
    text = page.read_text()
    assert BLOCK.search(text)
    assert embed_tables(text, page.parent) == text
