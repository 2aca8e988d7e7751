"""Options and overrides in any order."""

import pytest

from maxexp.base.errors import ConfigError
from maxexp.cli.arguments import overrides_first


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("model=mine --config-dir conf seed=1", "model=mine seed=1 --config-dir conf"),
        ("-m --config-dir=a=b seed=1,2 --cfg job ~trainer", "seed=1,2 ~trainer -m --config-dir=a=b --cfg job"),
        ("seed=1 --info", "seed=1 --info"),
        ("--multirun", "--multirun"),
        ("", ""),
    ],
)
def test_options_may_stand_between_overrides(typed, expected):
    assert overrides_first(typed.split()) == expected.split()


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("seed=1 --mutlirun", "unrecognized arguments: --mutlirun"),
        ("seed=1 --config-dir", "argument --config-dir/-cd: expected one argument"),
        ("--cfg jobs", "invalid choice: 'jobs'"),
    ],
)
def test_a_wrong_option_is_one_line(typed, part):
    with pytest.raises(ConfigError, match="^[^\n]*; 'python -m maxexp --help' shows[^\n]*$") as caught:
        overrides_first(typed.split())
    assert part in str(caught.value)
