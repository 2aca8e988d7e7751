import subprocess

import pytest

from maxexp.tracking.provenance import environment_files, provenance

GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@t"]


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "checkout"
    (folder / "package").mkdir(parents=True)
    (folder / "package" / "code.py").write_text("a = 1\n")
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*GIT, *command], cwd=folder, check=True)
    return folder


def test_clean_checkout_gives_its_commit_wherever_the_process_is(checkout):
    head = subprocess.run([*GIT, "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True)
    tags = provenance(checkout / "package")
    assert tags["mlflow.source.git.commit"] == head.stdout.strip()
    assert tags["git.dirty"] == "false"
    assert "uncommitted.diff" not in environment_files(checkout / "package")


def test_changed_checkout_gives_its_diff_and_new_files(checkout):
    (checkout / "package" / "code.py").write_text("a = 2\n")
    (checkout / "new.yaml").write_text("")
    assert provenance(checkout)["git.dirty"] == "true"
    diff = environment_files(checkout)["uncommitted.diff"]
    assert "# new file: new.yaml\n" in diff
    assert "\n-a = 1\n+a = 2\n" in diff


def test_results_tests_and_texts_are_no_change_of_the_code_but_configuration_is(checkout):
    def write(name: str) -> None:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("")

    for name in (
        "experiments/widths/final/pareto.csv",
        "experiments/x.svg",
        "tests/test_x.py",
        "NOTES.md",
        "docs/a.png",
    ):
        write(name)
    assert provenance(checkout / "package")["git.dirty"] == "false"
    write("conf/model/own.yaml")
    assert provenance(checkout / "package")["git.dirty"] == "true"


def test_huge_diff_is_cut(checkout):
    (checkout / "package" / "code.py").write_text("ä" * 2_000_000)
    assert 900_000 < len(environment_files(checkout)["uncommitted.diff"].encode()) <= 1_000_000


def test_installed_package_has_no_commit_even_inside_somebodys_checkout(checkout, tmp_path):
    installed = checkout / ".venv" / "maxexp"
    installed.mkdir(parents=True)
    (installed / "code.py").write_text("")
    for folder in (installed, tmp_path):
        assert not {"mlflow.source.git.commit", "git.dirty"} & set(provenance(folder))


def test_tags_are_texts_that_name_code_machine_and_libraries():
    tags = provenance()
    assert all(isinstance(text, str) and text for text in tags.values())
    assert {"maxexp.version", "mlflow.user", "python", "cpu", "cores", "host", "version.torch"} <= set(tags)
    assert tags["mlflow.source.type"] == "LOCAL"


def test_environment_lists_installed_distributions():
    lines = environment_files()["requirements.txt"].splitlines()
    assert any(line.startswith("mlflow==3") for line in lines)
    assert lines == sorted(set(lines), key=str.lower)
