"""What a study.yaml may say."""

import pytest

from maxexp.base.errors import ConfigError
from maxexp.base.shipped import experiments_dir
from maxexp.study.description import read_study
from maxexp.study.plan import make_job
from tests.study.small import SMALL, small, written


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"colums": {}}, "no colums; there are: title, question"),
        ({"overrides": ["checkpoint=x"]}, "overrides: checkpoint=x belongs into seeds or starts_from"),
        ({"entries": {"a": {"label": "a", "overrides": ["seed=3"]}}}, "seed=3 belongs into seeds"),
        ({"entries": {"a": {"label": "a", "overrides": [], "seeds": []}}}, "seeds is empty"),
        (
            {"entries": {"a": {"label": "a", "overrides": [], "starts_from": "b"}}},
            "starts_from: no b; there are: none",
        ),
        (
            {"entries": {**SMALL["entries"], "ptq": {**SMALL["entries"]["ptq"], "seeds": [1, 3]}}},
            "entries.ptq.seeds: 3 is not among those of float",
        ),
        ({"findings": [{"text": "x", "check": "dek.time > 1"}]}, "findings: no dek; there are: deck, float, ptq"),
        ({"findings": [{"text": "x", "check": "deck.tim > 1"}]}, "no tim; there are: accuracy, time, factor"),
        ({"rows": ["ptq", "qat"]}, "rows: no qat"),
        ({"columns": {"a": {"label": "a", "metric": "x", "tag": "y"}}}, "metric and tag"),
        ({"charts": {"c": {"title": "t", "x": "time", "y": "wine"}}}, "charts.c: no wine"),
        ({"columns": {"a": {"label": "a", "metric": "x", "format": "inches"}}}, "inches"),
    ],
)
def test_a_wrong_description_is_refused_by_its_key(changes, message, tmp_path):
    with pytest.raises(ConfigError, match=message.replace("(", r"\(")) as caught:
        read_study(written(tmp_path, **changes))
    assert "\n" not in str(caught.value)


def test_a_missing_study_names_those_there_are(tmp_path):
    written(tmp_path)
    with pytest.raises(ConfigError, match="no such study; there are: small"):
        read_study(tmp_path / "big" / "study.yaml")


def test_what_all_entries_have_in_common_is_said_once(tmp_path):
    entries = {"a": {"label": "a"}, "b": {"label": "b", "overrides": ["trainer.max_epochs=3"], "seeds": [7]}}
    study = small(tmp_path, entries=entries, seeds=[1, 2], findings=[], columns={}, charts={}, references={})
    assert [study.seeds_of(name) for name in study.entries] == [[1, 2], [7]]
    assert make_job(study, "b", 7, None).overrides == ("dataset.limit=200", "trainer.max_epochs=3", "seed=7")
    assert make_job(study, "a", 2, None).identity.params["dataset.limit"] == "200"


def compose_all(study) -> None:
    for name, entry in study.entries.items():
        make_job(study, name, study.seeds_of(name)[0], "0" * 32 if entry.starts_from else None)


@pytest.mark.parametrize("path", sorted(experiments_dir().glob("*/study.yaml")), ids=lambda path: path.parent.name)
def test_every_study_of_the_project_composes(path):
    compose_all(read_study(path))


def test_the_example_for_those_who_add_a_study_is_one(tmp_path):
    text = (experiments_dir() / "README.md").read_text()
    (tmp_path / "study.yaml").write_text(text.split("```yaml\n")[1].split("```")[0])
    compose_all(read_study(tmp_path / "study.yaml"))
