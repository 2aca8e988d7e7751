"""The command ``maxexp``: its first word says what to do; where it is none of these, all words are those of a run."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from maxexp.base.exit_codes import exit_code
from maxexp.cli.completion import answer, is_query
from maxexp.cli.program import spoken
from maxexp.cli.words import evaluation_words, sweep_words

COMMANDS = {
    "train": "train, quantize, evaluate and cost a network: maxexp train model=NAME dataset=NAME KEY=VALUE ...",
    "cost": "what a network costs on the chip, in a second",
    "evaluate": "evaluate a trained network: maxexp evaluate zoo:NAME, run:RUN_ID or FILE",
    "predict": "what a trained network says of photos",
    "compare": "runs side by side, as table and page",
    "sweep": "search with Optuna: maxexp sweep PRESET KEY=VALUE ...; show, resume, report and export look at it",
    "study": "questions that several runs answer",
    "zoo": "networks that are trained already",
    "board": "boards with the chip, real and emulated",
    "camera": "pictures, sample inputs and camera frames",
    "tracking": "send to the tracking store what runs could not send",
    "ui": "open the MLflow UI on the runs",
}
"""The first words there are, and what each is for."""
RUNS: dict[str, Callable[[Sequence[str]], list[str]]] = {"train": list, "evaluate": evaluation_words}
"""Those that are runs: the words of ``python -m maxexp`` that they stand for."""


def main() -> int:
    """Runs the command; returns its exit code."""
    name, *rest = sys.argv[1:] or [""]
    if name == "help":
        print(overview())
        return 0
    if is_query(sys.argv[1:]):
        answer(list(COMMANDS))
        return 0
    if name == "sweep" and (words := sweep_words(rest)) is not None:
        return _run(words)
    if name in RUNS:
        return exit_code("maxexp", lambda: RUNS[name](rest)) or _run(RUNS[name](rest))
    if name not in COMMANDS:
        return _run(sys.argv[1:])
    sys.argv = [spoken(name), *rest]
    code: int = import_module(f"maxexp.cli.{name}").main()
    return code


def overview() -> str:
    """Returns the commands with a line each."""
    width = max(map(len, COMMANDS))
    lines = [f"  maxexp {name:{width}}  {text}" for name, text in COMMANDS.items()]
    more = "maxexp COMMAND --help says more; maxexp --help lists models, data sets and presets."
    return "\n".join([*lines, "", more])


def _run(words: Sequence[str]) -> int:
    from maxexp.cli.run import main as run

    sys.argv[1:] = words
    return run()
