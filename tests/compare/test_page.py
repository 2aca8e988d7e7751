"""The page, as a browser shows it."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.color import Color

from maxexp.report.comparison.comparison import compare
from maxexp.report.figures.layer_colors import INPUT_COLOR
from maxexp.report.page.data import CURVE_POINTS
from maxexp.report.page.page import to_html
from maxexp.report.predictions import Predictions
from maxexp.tracking.reading import RESTORED, RESTORED_COMMAND
from tests.browser import DESKTOP, PHONE, show, started


@pytest.fixture(scope="module")
def browser():
    with started() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(make_runs, tmp_path_factory):
    """Four runs of two networks, one of them still running, one with a name that is markup."""
    runs = make_runs()
    for width, accuracy in ((1.0, 0.9), (0.5, 0.8)):
        runs.write(f"width {width}", f"model.width={width}", accuracy=accuracy)
    runs.write("</script><b>bold", "model=simplenet", accuracy=0.7)
    runs.write("unfinished", accuracy=None, finish=False)
    path = tmp_path_factory.mktemp("page") / "page.html"
    title = "Four runs with_a_name_that_is_too_long_for_the_first_line_of_a_phone"
    path.write_text(to_html(compare(runs.find()), title, "from a test"))
    return path


@pytest.fixture
def shown(browser, page):
    show(browser, page.as_uri())
    return browser


def texts(browser, selector: str) -> list[str]:
    return [element.text for element in browser.find_elements(By.CSS_SELECTOR, selector)]


def column(browser, name: str) -> list[str]:
    """First line of each cell of a column of the table of runs."""
    headings = [text.split("\n")[0] for text in texts(browser, "#table thead th")]
    return [
        text.split("\n")[0] for text in texts(browser, f"#table tbody tr > :nth-child({headings.index(name) + 1})")
    ]


def sort_by(browser, name: str) -> None:
    button = f"//table[@id='table']//thead//button[.='{name}']"
    browser.execute_script("arguments[0].click()", browser.find_element(By.XPATH, button))


def test_figures_stand_with_unit_and_source(shown):
    headings = texts(shown, "#table thead th")
    assert "latency\nms" in headings and "accuracy, integer\n%" in headings
    assert column(shown, "accuracy, integer") == ["90.00", "80.00", "70.00", "–"]
    row = texts(shown, "#table tbody tr:first-child td")
    assert "1.898\nestimated" in row
    assert "90.00 %" in texts(shown, "#headlines .value")


def test_the_columns_of_the_runs_are_in_the_order_of_their_use(shown):
    """What runs are judged by, what tells them apart, further figures, what they share."""
    headings = [text.split("\n")[0] for text in texts(shown, "#table thead th")]
    assert headings[:6] == ["run", "accuracy, integer", "latency", "weight memory", "status", "network"]
    assert headings.index("cycles") < min(headings.index(shared) for shared in ("data", "quantization"))


def test_a_click_on_a_heading_sorts_with_missing_values_last(shown):
    sort_by(shown, "latency")
    assert column(shown, "latency") == sorted(column(shown, "latency"), key=float)
    sort_by(shown, "accuracy, integer")
    assert column(shown, "accuracy, integer") == ["90.00", "80.00", "70.00", "–"]
    sort_by(shown, "accuracy, integer")
    assert column(shown, "accuracy, integer") == ["70.00", "80.00", "90.00", "–"]


def test_the_search_field_hides_other_runs(shown):
    shown.find_element(By.ID, "search").send_keys("width")
    assert set(column(shown, "run")) == {"width 1.0", "width 0.5"}


def test_names_are_shown_as_they_are(shown):
    assert "</script><b>bold" in column(shown, "run")


def test_the_front_of_accuracy_latency_and_memory_is_marked(shown):
    """The narrow network is faster and smaller, the wide one more accurate; simplenet is neither."""
    labels = [dot.get_attribute("aria-label") for dot in shown.find_elements(By.CSS_SELECTOR, "#tradeoff .on-front")]
    assert {label.split("\n")[0] for label in labels} == {"width 1.0", "width 0.5"}
    assert len(shown.find_elements(By.CSS_SELECTOR, "#tradeoff circle")) == 3
    assert "Not shown: 1 run" in shown.find_element(By.ID, "tradeoff").text


def test_what_is_set_differently_is_tinted(shown):
    assert texts(shown, "#differences tbody th") == ["model.name", "model.width"]
    assert texts(shown, "#differences td.odd") == ["simplenet", "0.5"]


def test_every_curve_and_layer_is_drawn(shown):
    assert len(shown.find_elements(By.CSS_SELECTOR, "#curves path.curve")) == 4 * 2 * 2
    assert {"conv1", "fc"} <= set(texts(shown, "#chip tbody th"))


def test_the_tip_on_a_long_curve_names_the_epoch_that_is_kept(browser, make_runs, tmp_path):
    runs = make_runs()
    epochs = 3 * CURVE_POINTS
    runs.write("long", epochs=epochs, accuracy=0.8)
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.find()), "long", "from a test"))
    show(browser, path.as_uri())
    for offset in (-101, -100, -99, 0, 1, 2):
        picture = browser.find_element(By.CSS_SELECTOR, "#curves svg")
        ActionChains(browser).move_to_element_with_offset(picture, offset, 0).perform()
        heading, *rows = browser.find_element(By.ID, "tip").text.split("\n")
        epoch = int(heading.removeprefix("epoch ").partition(",")[0])
        kept = 1 + (epoch - 1) // 3 * 3
        assert len(rows) == 1
        assert (f"(epoch {kept})" in rows[0]) == (kept != epoch)
        assert f"{100 * 0.9 * 0.8 * kept / epochs:.2f}" in rows[0]


def test_memory_maps_show_every_kernel_and_every_tensor(shown):
    """Tensors of cmsisnnet are in 1 (input), 8, 8, 8, 8, 16, 16 and 3 (10 outputs) instances of 4 channels."""
    card = shown.find_element(By.XPATH, "//*[@id='chip']//*[contains(@class, 'card')][contains(., 'width 1.0')]")
    kernels, tensors = card.find_elements(By.TAG_NAME, "svg")
    assert len(kernels.find_elements(By.CSS_SELECTOR, ".place")) == 7
    assert len(tensors.find_elements(By.CSS_SELECTOR, ".place")) == 1 + 4 * 8 + 2 * 16 + 3
    assert {"input", "conv1", "fc"} <= {text.text for text in tensors.find_elements(By.TAG_NAME, "text")}
    assert "of 32,768" in card.text


def test_kernels_and_outputs_of_a_layer_have_its_colour_in_the_table(shown):
    card = shown.find_element(By.XPATH, "//*[@id='chip']//*[contains(@class, 'card')][contains(., 'width 1.0')]")
    layers = colors(card, ".bar i", "background-color")
    kernels, tensors = (colors(picture, ".place", "fill") for picture in card.find_elements(By.TAG_NAME, "svg"))
    assert len(set(layers)) == len(layers)
    assert set(kernels) <= set(layers)
    assert set(tensors) - set(layers) == {INPUT_COLOR}


def colors(part, selector: str, css_property: str) -> list[str]:
    places = part.find_elements(By.CSS_SELECTOR, selector)
    return [Color.from_string(place.value_of_css_property(css_property)).hex for place in places]


def test_cycles_of_the_layers_add_up(shown):
    assert "94,888 cycles in all layers and 1 to start, estimated." in shown.find_element(By.ID, "chip").text


def test_what_is_not_recorded_of_the_chip_is_said_of_its_runs(browser, make_runs, tmp_path):
    runs = make_runs()
    runs.write("whole")
    (whole,) = runs.find()
    costless = [replace(whole, cost=None, run=replace(whole.run, run_id=name, name=name)) for name in ("one", "two")]
    path = tmp_path / "page.html"
    for shown, said in ((costless, "one, two."), ([whole, costless[0]], "one.")):
        path.write_text(to_html(compare(shown), "Restored runs", "from a test"))
        show(browser, path.as_uri())
        text = browser.find_element(By.ID, "chip").text
        assert f"Cycles per layer and memory maps are not recorded for {said}" in text


def test_a_restored_run_names_its_original_and_the_command(browser, make_runs, tmp_path):
    runs = make_runs()
    run_id = runs.write("restored")
    runs.store.client.set_tag(run_id, RESTORED, "0123abcd" * 4)
    runs.store.client.set_tag(run_id, RESTORED_COMMAND, "python -m maxexp seed=7")
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.details(run_id)), "One run", "from a test"))
    show(browser, path.as_uri())
    details = browser.find_element(By.ID, "details").text
    assert "restored from run\n" + "0123abcd" * 4 in details and "python -m maxexp seed=7" in details


def test_a_page_of_one_run_leaves_out_what_the_run_has_not(browser, make_runs, tmp_path):
    runs = make_runs()
    run_id = runs.write("costed", accuracy=None, epochs=0)
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.details(run_id)), "One run", "from a test"))
    show(browser, path.as_uri())
    sections = ("details", "curves", "confusion", "wrong", "ranges")
    displayed = {each: browser.find_element(By.ID, each).is_displayed() for each in sections}
    assert displayed == {each: each == "details" for each in sections}


def test_a_verdict_stands_in_words(browser, make_runs, tmp_path):
    runs = make_runs()
    for name, answer in (("right", 1.0), ("wrong", 0.0)):
        runs.write(name, metrics={"board/known_answer_pass": answer})
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.find()), "Two runs", "from a test"))
    show(browser, path.as_uri())
    assert sorted(column(browser, "known answer")) == ["FAIL", "PASS"]


def test_trials_without_a_test_accuracy_are_drawn_by_validation_accuracy(browser, make_runs, tmp_path):
    runs = make_runs()
    for name, accuracy in (("trial 1", 0.6), ("trial 2", 0.7)):
        runs.write(name, accuracy=None, metrics={"val/best_accuracy": accuracy})
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.find()), "A sweep", "from a test"))
    show(browser, path.as_uri())
    assert len(browser.find_elements(By.CSS_SELECTOR, "#tradeoff circle")) == 2
    assert "validation accuracy, chosen epoch [%]" in texts(browser, "#tradeoff text")
    assert "70.00 %" in texts(browser, "#headlines .value")


def test_what_a_sweep_gave_up_heads_no_page(browser, make_runs, tmp_path):
    """A small network that was never trained to its end is not the fastest one."""
    runs = make_runs()
    for name, width, state in (("whole", "1.0", "complete"), ("small", "0.5", "pruned")):
        run_id = runs.write(name, f"model.width={width}", accuracy=None, metrics={"val/best_accuracy": 0.5})
        runs.store.client.set_tag(run_id, "sweep.state", state)
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.find()), "A sweep", "from a test"))
    show(browser, path.as_uri())
    assert set(texts(browser, "#headlines .run a")) == {"whole"}


def test_confusion_and_wrong_images_follow_from_the_predictions(shown):
    """The last of the 200 images are wrong, each taken for the next class: 20 in the best run."""
    card = next(text for text in texts(shown, "#confusion .card") if text.startswith("width 1.0"))
    assert "class0 as class1 (2)" in card
    # 20 of the 200 images, spread evenly over ten classes.
    assert "Accuracy per class\nclass accuracy [%] test images\nclass0 90.0\n20\n" in card
    assert "140 of 200 test images are right in all of them" in shown.find_element(By.ID, "wrong").text
    figures = texts(shown, "#wrong figure")
    assert (
        figures[0].startswith("class0 taken for class1") and "3 of 3 runs" in figures[0] and "no. 180" in figures[0]
    )


@pytest.mark.parametrize(
    ("names", "heading"), [("one", "The first images that it gets wrong"), ("one two", "Images most often wrong")]
)
def test_wrong_images_of_a_single_run_are_just_its_first(browser, make_runs, tmp_path, names, heading):
    runs = make_runs()
    for name in names.split():
        runs.write(name)
    path = tmp_path / "page.html"
    path.write_text(to_html(compare(runs.find()), "Wrong images", "from a test"))
    show(browser, path.as_uri())
    assert browser.find_element(By.CSS_SELECTOR, "#wrong h2").text == heading


def test_a_confusion_of_many_classes_names_its_axes_and_each_cell(browser, make_runs, tmp_path):
    """Class 99 is taken for class 0 three times of four: the lower left corner."""
    runs = make_runs()
    runs.write("hundred")
    (details,) = runs.find()
    labels, predicted = np.full(4, 99), np.array([0, 0, 0, 99])
    predictions = Predictions("integer", predicted, labels, [f"kind{index}" for index in range(100)])
    path = tmp_path / "page.html"
    path.write_text(to_html(compare([replace(details, predictions=predictions)]), "One run", "from a test"))
    show(browser, path.as_uri())
    side, foot = browser.find_elements(By.CSS_SELECTOR, "#confusion .axis-title")
    heat = browser.find_element(By.CSS_SELECTOR, "canvas.heat")
    assert (side.text, foot.text) == ("true class", "predicted class")
    assert 0 < heat.rect["x"] - side.rect["x"] < 40, "beside the matrix"
    width, height = heat.size["width"], heat.size["height"]
    assert width == height, "cells are square"
    ActionChains(browser).move_to_element_with_offset(heat, 3 - width // 2, height // 2 - 3).perform()
    assert browser.find_element(By.ID, "tip").text == "kind99 as kind0: 3 images, 75.0 %"


def test_unticking_a_run_takes_it_out_of_the_charts(shown):
    before = len(shown.find_elements(By.CSS_SELECTOR, "#curves path.curve"))
    shown.find_element(By.CSS_SELECTOR, "#table tbody input").click()
    assert len(shown.find_elements(By.CSS_SELECTOR, "#curves path.curve")) == before - 4


def test_a_link_leads_to_the_details_of_its_run(shown):
    link = shown.find_element(By.LINK_TEXT, "width 0.5")
    shown.execute_script("arguments[0].click()", link)
    details = shown.find_element(By.ID, "details").text
    assert "width 0.5" in details and "multiply-accumulates per cycle" in details


def test_notes_say_what_is_unfinished(shown):
    assert any("unfinished is still running" in note for note in texts(shown, "#notes li"))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_it_is_legible_on_every_screen(browser, page, theme, size):
    show(browser, page.as_uri(), size, theme)
    assert browser.execute_script("return document.documentElement.scrollWidth") == size[0], "it scrolls sideways"
    assert lowest_contrast(browser) >= 4.5, "WCAG 2 asks for 4.5"


@pytest.mark.parametrize(
    ("table", "heading"), [("#table", "accuracy, integer"), ("#table", "latency"), ("#chip table", "cycles")]
)
def test_a_phone_shows_figures_beside_the_names(browser, page, table, heading):
    show(browser, page.as_uri(), PHONE)
    headings = [text.split("\n")[0] for text in texts(browser, f"{table} thead th")]
    row = browser.find_elements(By.CSS_SELECTOR, f"{table} tbody tr:first-child > *")
    name, figure = row[0].rect, row[headings.index(heading)].rect
    assert name["x"] + name["width"] <= figure["x"]
    assert figure["x"] + figure["width"] <= PHONE[0]


def test_the_button_changes_the_theme(shown):
    def paper() -> str:
        return shown.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")

    before = paper()
    shown.find_element(By.ID, "theme").click()
    assert paper() != before
    assert lowest_contrast(shown) >= 4.5


def test_nothing_is_fetched_and_nothing_fails(browser, page):
    browser.get_log("browser"), browser.get_log("performance")
    show(browser, page.as_uri())
    assert browser.get_log("browser") == []
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    fetched = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
    assert all(re.match(r"file:|data:|about:", url) for url in fetched)


def lowest_contrast(browser) -> float:
    """Of all text on its background, as WCAG 2.2 defines it."""
    return browser.execute_script(CONTRAST)


CONTRAST = """
const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return {r, g, b, a}; };
const over = (top, below) => ({r: top.r * top.a + below.r * (1 - top.a), g: top.g * top.a + below.g * (1 - top.a),
  b: top.b * top.a + below.b * (1 - top.a), a: 1});
const background = (node) => {
  const own = parse(getComputedStyle(node).backgroundColor);
  if (own.a === 1 || !node.parentElement) return own;
  return over(own, background(node.parentElement));
};
const luminance = ({r, g, b}) => {
  const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
};
let lowest = Infinity;
for (const node of document.querySelectorAll("body *")) {
  const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
  if (!own || !node.getClientRects().length || node.closest("svg, script, style")) continue;
  const [a, b] = [luminance(parse(getComputedStyle(node).color)), luminance(background(node))].sort((p, q) => q - p);
  lowest = Math.min(lowest, (a + 0.05) / (b + 0.05));
}
return lowest;
"""
