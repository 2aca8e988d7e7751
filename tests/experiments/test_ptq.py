"""The measurements of post-training quantization: whose rows the README shows."""

import importlib.util
import json
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "experiments" / "ptq"


def load():
    spec = importlib.util.spec_from_file_location("ptq", FOLDER / "ptq.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_the_readme_is_that_of_the_results():
    rows = json.loads((FOLDER / "results.json").read_text())
    assert load().table(rows) in (FOLDER / "README.md").read_text()
    assert len({(row["network"], row["bits"], row["variant"]) for row in rows}) == len(rows)


def test_variants_add_one_step_after_the_other():
    steps = list(load().VARIANTS.values())
    assert [len(x) for x in steps] == [0, 1, 2, 3]
    assert all(before == after[: len(before)] for before, after in zip(steps, steps[1:], strict=False))
