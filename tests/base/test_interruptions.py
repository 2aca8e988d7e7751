"""Interruptions that libraries make other errors of."""

import pytest

from maxexp.base.exit_codes import INTERRUPTED, exit_code
from maxexp.base.interruptions import interruptions_kept
from maxexp.tracking import Terminated


def as_hydra_does(interruption: BaseException) -> None:
    """Raises an UnboundLocalError where an interruption comes while a file is opened."""
    try:
        raise interruption
    finally:
        file.close()  # noqa: F821


def wrapped(interruption: BaseException) -> None:
    """Raises another error of an error of an interruption."""
    try:
        as_hydra_does(interruption)
    except NameError as error:
        raise ValueError("x") from error


@pytest.mark.parametrize("library", [as_hydra_does, wrapped])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), Terminated("SIGTERM")])
def test_an_interruption_stays_one(library, interruption, capsys):
    with pytest.raises(type(interruption)), interruptions_kept():
        library(interruption)
    assert exit_code("maxexp", lambda: library(interruption)) == INTERRUPTED
    assert capsys.readouterr().err == "maxexp: interrupted\n"


def test_other_errors_stay_what_they_are():
    with pytest.raises(NameError), interruptions_kept():
        as_hydra_does(ValueError("x"))
    with pytest.raises(NameError):
        exit_code("maxexp", lambda: as_hydra_does(ValueError("x")))
