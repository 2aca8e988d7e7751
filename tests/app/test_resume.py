"""What a command that resumes a run may say anew."""

import pytest

from maxexp import resume
from maxexp.board.config import FlashMethod
from maxexp.errors import ConfigError
from maxexp.execution import log_configuration, start_record
from tests.conftest import composed

BEGUN = ("board=max78000fthr", "board.connection.flash=daplink", "synthesis.path=/old", "dataset.root=/data")


@pytest.fixture
def resumed(store, monkeypatch, tmp_path):
    """``resumed(*overrides)``: the configuration with which an interrupted run goes on."""
    monkeypatch.setattr(resume, "carry_out", lambda config, *_: carried.append(config))
    tracking = (f"tracking.uri={store.uri}", "tracking.experiment=resume", "tracking.system_metrics=false")
    carried = []

    def go_on(*overrides: str):
        config = composed(*BEGUN, *tracking)
        with pytest.raises(KeyboardInterrupt), start_record(config, BEGUN) as record:
            log_configuration(record, config, BEGUN, environment=False)
            raise KeyboardInterrupt
        resume.resume_run(composed(*overrides, *tracking), record.run_id, overrides, tmp_path)
        return carried.pop()

    return go_on


def test_places_may_be_others_when_a_run_goes_on(resumed):
    config = resumed(
        "board=max78000fthr", "board.connection.port=/dev/ttyACM1", "synthesis.path=/new", "trainer.threads=2"
    )
    connection = config.board.connection
    assert (connection.port, connection.flash) == ("/dev/ttyACM1", FlashMethod.daplink)
    assert (config.synthesis.path, config.dataset.root, config.trainer.threads) == ("/new", "/data", 2)


@pytest.mark.parametrize(
    ("override", "part"), [("board=emulated", "board.kind=emulated"), ("synthesis.timeout_s=9", "timeout_s=9")]
)
def test_what_is_no_place_stays(override, part, resumed):
    with pytest.raises(ConfigError, match=part):
        resumed(override)
