"""The README and the pages of docs/, and the commands in them."""

import re
import shlex

from tests.runs import REPOSITORY

README = REPOSITORY / "README.md"
PAGES = [README, *sorted((REPOSITORY / "docs").rglob("*.md"))]
BLOCKS = [block for page in PAGES for block in re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)]
COMMANDS = list(dict.fromkeys(line for block in BLOCKS for line in block.splitlines() if line.strip()))
"""Each once, wherever it stands."""
SWEEPS = [line for line in COMMANDS if line.startswith("python -m maxexp -m +sweep")]
VERBS = [line for line in COMMANDS if line.startswith("python -m maxexp.sweep")]
MAXEXP = [line for line in COMMANDS if shlex.split(line)[:3] == ["python", "-m", "maxexp"] and line not in SWEEPS]


def starting(words: str) -> list[str]:
    """The commands that begin with some words."""
    return [line for line in COMMANDS if line.startswith(words)]
