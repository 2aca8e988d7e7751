"""Names of artifacts stand in one list."""

from maxexp.tracking import artifacts
from maxexp.tracking.metrics import METRICS
from tests.literals import literals

PREFIXES = ("board/", "sweep/")
"""Groups of metrics."""
FOLDERS = {value for name, value in vars(artifacts).items() if name.isupper() and "/" not in str(value)}


def test_no_other_file_spells_out_the_path_of_an_artifact():
    assert {"checkpoints", "synthesis", "config"} <= FOLDERS
    spelled = [
        f"{path}: {text}"
        for path, text in literals()
        if path.name != "artifacts.py"
        and text.split("/")[0] in FOLDERS
        and "/" in text
        and text not in METRICS
        and text not in PREFIXES
    ]
    assert not spelled


def test_every_artifact_has_a_name_of_its_own():
    names = [value for name, value in vars(artifacts).items() if name.isupper()]
    assert len(set(names)) == len(names)
