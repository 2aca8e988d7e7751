"""What the words behind ``maxexp evaluate`` and ``maxexp sweep`` are for ``python -m maxexp``."""

from collections.abc import Sequence

from maxexp.base.errors import ConfigError

SWEEP_VERBS = ("show", "resume", "report", "export")
"""Words of ``maxexp sweep`` that look at a search, rather than begin one."""


def evaluation_words(words: Sequence[str]) -> list[str]:
    """Returns the words that evaluate a checkpoint, which stands first.

    Raises:
        ConfigError: there is none.
    """
    from maxexp.base.languages.override import override_value

    reference, *rest = words or [""]
    if reference in ("-h", "--help"):
        return ["--help"]
    if not reference or reference.startswith("-") or "=" in reference:
        if not any(word.startswith("checkpoint=") for word in words):
            raise ConfigError(
                "evaluate: needs a trained network; write maxexp evaluate zoo:NAME, run:RUN_ID or FILE.pth.tar, and "
                "behind it KEY=VALUE; maxexp zoo list shows names"
            )
        rest, checkpoint = list(words), []
    else:
        checkpoint = [f"checkpoint={override_value(reference)}"]
    stages = [] if any(word.startswith("stages=") for word in rest) else ["stages=[evaluate]"]
    return [*checkpoint, *stages, *rest]


def sweep_words(words: Sequence[str]) -> list[str] | None:
    """Returns the words that begin a search; None where a search is looked at.

    A bare first word is a preset; without one the search has no objectives but its own.
    """
    first = words[0] if words else ""
    if not first or first in SWEEP_VERBS or first in ("-h", "--help"):
        return None
    presets = [f"+sweep={first}"] if "=" not in first and not first.startswith("-") else []
    rest = list(words[len(presets) :])
    return ["-m", *presets, *rest]
