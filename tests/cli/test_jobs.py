"""What a command of several jobs says at its end."""

import pytest

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.cli.jobs import Jobs


def jobs(*failing: int, widths: tuple[str, ...]) -> Jobs:
    """Jobs of which those with these numbers failed."""
    done = Jobs("maxexp")
    for number, width in enumerate(widths):
        with done.job(["model=digitsnet", f"model.width={width}"]):
            if number in failing:
                raise ConfigError(f"{width} is too wide")
    return done


def test_all_failures_of_a_multirun_are_its_last_line(capsys):
    done = jobs(1, 3, widths=("1", "50", "2", "60"))
    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"maxexp: error: {width} is too wide" for width in (50, 60)]
    with pytest.raises(MaxexpError) as caught:
        done.check()
    assert str(caught.value) == (
        "2 of 4 failed: #1 model.width=50: 50 is too wide; #3 model.width=60: 60 is too wide"
    )
    assert not caught.value.shown


def test_the_failure_of_a_single_job_is_not_said_twice():
    with pytest.raises(ConfigError) as caught:
        jobs(0, widths=("50",)).check()
    assert caught.value.shown


def test_where_nothing_failed_nothing_is_said(capsys):
    jobs(widths=("1", "2")).check()
    assert capsys.readouterr().err == ""
