"""Where a result comes from: the code, the machine and the libraries."""

import getpass
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from maxexp import RESULTS_VERSION, __version__

COMMIT, CHANGED = "mlflow.source.git.commit", "git.dirty"
"""Tags: the commit of the code, and whether the code differed from it."""
RESULTS_TAG = "maxexp.results"
"""Tag of a run: the version of results of the code that made it."""

_PACKAGE = Path(__file__).resolve().parents[1]
_LIBRARIES = (
    "torch",
    "torchvision",
    "pytorch-lightning",
    "mlflow",
    "numpy",
    "hydra-core",
    "optuna",
)
_GIT_TIMEOUT_S = 10
_LONGEST_DIFF = 1_000_000  # bytes
# Results that are written beside the code, tests and texts are no change of what a run carries out.
_OTHER = tuple(f":(top,exclude,glob){pattern}" for pattern in ("experiments/**", "tests/**", "docs/**", "**/*.md"))


def provenance(repo_dir: Path = _PACKAGE) -> dict[str, str]:
    """Returns the tags that tell where a run comes from.

    Args:
        repo_dir: Folder of the code; the package's own by default, whatever the current folder is. Git
            tags are absent if it is not under version control there (a wheel in some site-packages).
    """
    return {
        "maxexp.version": __version__,
        RESULTS_TAG: str(RESULTS_VERSION),
        "mlflow.user": _user(),
        "mlflow.source.name": sys.argv[0],
        "mlflow.source.type": "LOCAL",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpu": _cpu(),
        "cores": str(os.cpu_count()),
        "host": platform.node(),
        **{f"version.{name}": version for name in _LIBRARIES if (version := _version(name))},
        **_git_tags(repo_dir),
    }


def described_code(tags: Mapping[str, str], prefix: str = "", length: int | None = None) -> str:
    """Returns the commit of a run's code, with a word if the code differed from it; ``unknown`` if none was recorded.

    Args:
        tags: Of the run.
        prefix: Of the names of its tags: ``resumed.`` for the code that continued the run.
        length: Digits of the commit; all of them by default.
    """
    commit = tags.get(f"{prefix}{COMMIT}", "unknown")
    changed = " with uncommitted changes" if tags.get(f"{prefix}{CHANGED}") == "true" else ""
    return commit[:length] + changed


def environment_files(repo_dir: Path = _PACKAGE) -> dict[str, str]:
    """Returns files, by name, from which the environment can be rebuilt.

    ``requirements.txt`` lists every installed distribution. ``uncommitted.diff`` is there if the code
    differs from its commit: names of new files and the diff, cut at 1 MB.

    Args:
        repo_dir: Folder of the code, as in :func:`provenance`.
    """
    installed = {
        f"{distribution.metadata['Name']}=={distribution.version}"
        for distribution in importlib.metadata.distributions()
    }
    files = {"requirements.txt": "\n".join(sorted(installed, key=str.lower)) + "\n"}
    if _git_tags(repo_dir).get(CHANGED) == "true":
        status = _git(repo_dir, "status", "--porcelain") or ""
        new = [f"# new file: {line[3:]}\n" for line in status.splitlines() if line.startswith("??")]
        diff = "".join(new) + (_git(repo_dir, "diff", "--no-color", "--no-ext-diff", "HEAD") or "")
        files["uncommitted.diff"] = diff.encode()[:_LONGEST_DIFF].decode(errors="ignore")
    return files


def _git_tags(folder: Path) -> dict[str, str]:
    # A virtual environment inside of somebody's checkout is in a repository too, but not of that code.
    if not _git(folder, "ls-files", "."):
        return {}
    commit = _git(folder, "rev-parse", "HEAD")
    status = _git(folder, "status", "--porcelain", "-uall", "--", ":(top)", *_OTHER)
    if not commit or status is None:
        return {}
    return {COMMIT: commit.strip(), CHANGED: "true" if status else "false"}


def _git(folder: Path, *arguments: str) -> str | None:
    """Returns the output of a git command, or None where there is no git, no checkout or no answer."""
    try:
        return subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            check=True,
            timeout=_GIT_TIMEOUT_S,
            encoding="utf-8",
            errors="replace",
            # Without it, `git status` may take the index lock from a commit that the user just makes.
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _version(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container whose user has no name
        return "unknown"


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()
