"""What a command that resumes a run may say anew."""

import shutil

import pytest

import maxexp.quantization.files.checkpoint
import maxexp.training.hardware
from maxexp.base.errors import CheckpointError, ConfigError, DataError, TrackingError
from maxexp.board.config import FlashMethod
from maxexp.run import resume
from maxexp.run.execution import log_configuration, start_record
from maxexp.schema.config import to_plain
from maxexp.schema.roles import changes_result
from maxexp.tracking.flatten import flatten
from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.system_metrics import SystemMetrics
from maxexp.training.config import Precision
from tests.conftest import composed
from tests.run.test_refusals import OWN, images

BEGUN = ("board=max78000fthr", "board.connection.flash=daplink", "synthesis.path=/old", "dataset.root=/data")


@pytest.fixture
def resumed(store, monkeypatch, tmp_path):
    """``resumed(*overrides)``: the configuration with which an interrupted run goes on."""
    monkeypatch.setattr(resume, "prepare", lambda config, *_: config)
    monkeypatch.setattr(resume, "execute", lambda config, _: carried.append(config))
    tracking = (f"tracking.uri={store.uri}", "tracking.experiment=resume", "tracking.system_metrics=false")
    carried = []

    def go_on(*overrides: str):
        config = composed(*BEGUN, *tracking)
        with pytest.raises(KeyboardInterrupt), start_record(config, BEGUN) as record:
            log_configuration(record, config, BEGUN, environment=False)
            raise KeyboardInterrupt
        given = composed(tracking[0], *(o for o in overrides if not o.startswith("~")))
        resume.resume_run(given, record.run_id, overrides, tmp_path)
        return carried.pop()

    return go_on


def test_places_may_be_others_when_a_run_goes_on(resumed):
    config = resumed(
        "board=max78000fthr", "board.connection.port=/dev/ttyACM1", "synthesis.path=/new", "trainer.threads=2"
    )
    connection = config.board.connection
    assert (connection.port, connection.flash) == ("/dev/ttyACM1", FlashMethod.daplink)
    assert (config.synthesis.path, config.dataset.root, config.trainer.threads) == ("/new", "/data", 2)


@pytest.mark.parametrize(("override", "part"), [("board=emulated", "board.kind=emulated"), ("seed=2", "seed=2")])
def test_what_is_no_place_stays(override, part, resumed):
    with pytest.raises(ConfigError, match=part):
        resumed(override)


@pytest.mark.parametrize(
    ("override", "part"),
    [
        ("tracking.experiment=other", "tracking.experiment=other: run .* has resume, and a resumed run keeps it"),
        ("tracking.run_name=mine", "tracking.run_name=mine: run .* has null"),
        ("tracking={run_name: mine}", "tracking.run_name=mine"),
        ("~quantization.layer_bits", None),
        ("board={images: 7}", "board.images=7"),
    ],
)
def test_what_was_typed_is_neither_ignored_nor_dropped(override, part, resumed):
    if part is None:
        resumed(override)
        return
    with pytest.raises(ConfigError, match=part):
        resumed(override)


def test_places_may_be_typed_as_a_mapping(resumed):
    config = resumed("board.connection={port: /dev/ttyACM1}", "board=max78000fthr")
    assert (config.board.connection.port, config.board.connection.flash) == ("/dev/ttyACM1", FlashMethod.daplink)


def test_a_place_of_a_group_that_the_run_has_not_is_refused(store, tmp_path):
    tracking = (f"tracking.uri={store.uri}", "tracking.experiment=resume", "tracking.system_metrics=false")
    config = composed(*tracking)
    with pytest.raises(KeyboardInterrupt), start_record(config, ()) as record:
        log_configuration(record, config, (), environment=False)
        raise KeyboardInterrupt
    typed = ("board=max78000fthr", "board.connection.port=/dev/ttyACM1")
    with pytest.raises(ConfigError, match="board.connection.port: run .* began without board.connection"):
        resume.resume_run(composed(*typed, *tracking), record.run_id, typed[1:], tmp_path)


def test_what_was_not_typed_stays_as_the_run_began(resumed, store, monkeypatch):
    """Its tracking is no exception: only the store is this command's."""
    monkeypatch.setattr(SystemMetrics, "start", None)
    config = resumed()
    assert config.tracking.system_metrics is False and config.tracking.uri == store.uri
    assert config.tracking.experiment == "resume"


def test_every_key_that_is_typed_is_refused_or_taken_over(resumed):
    """Whatever the schema knows: none is ignored."""
    config = composed(*BEGUN)
    stored = flatten(to_plain(config))
    for key in stored:
        if key in ("resume", "tracking.uri"):
            continue
        taken = resume._places_typed([f"{key}=other"])
        assert (taken == [key]) is not changes_result(key), key


def test_code_that_gives_other_results_goes_on_with_no_run(resumed, monkeypatch):
    monkeypatch.setattr("maxexp.schema.identity.RESULTS_VERSION", 99)
    with pytest.raises(ConfigError, match="began with version 1 of results, this code has version 99"):
        resumed("board=max78000fthr")


@pytest.fixture
def failed(run_here, store, tmp_path, monkeypatch):
    """A run on pictures of one's own that failed after its training, and ``resume(*overrides)`` to go on with it."""

    def broken(*_):
        raise RuntimeError("disk full")

    images(tmp_path / "pictures", ["cats", "dogs"])
    root, batch = f"dataset.root={tmp_path}/pictures", "trainer.batch_size=8"
    with monkeypatch.context() as patch:
        patch.setattr(maxexp.quantization.files.checkpoint, "write_integer", broken)
        run = run_here(*OWN, root, batch, error=RuntimeError, match="disk full")

    def go_on(*overrides: str):
        given = composed(*overrides, f"tracking.uri={store.uri}", "tracking.system_metrics=false")
        resume.resume_run(given, run.info.run_id, overrides, tmp_path)
        return store.client.get_run(run.info.run_id)

    return run, go_on


def test_a_resumed_run_refuses_other_images(failed, tmp_path):
    _, go_on = failed
    images(tmp_path / "other", ["cats", "dogs"])
    shutil.copy(tmp_path / "other/cats/3.png", tmp_path / "other/dogs/3.png")
    with pytest.raises(DataError, match="images-train: these are not the images that run"):
        go_on(f"dataset.root={tmp_path}/other")
    (tmp_path / "pictures").rename(tmp_path / "elsewhere")
    assert go_on(f"dataset.root={tmp_path}/elsewhere").info.status == "FINISHED"


def test_a_test_picture_that_broke_may_be_removed(failed, tmp_path):
    """As it is advised; the others are still those that the run began with."""
    _, go_on = failed
    broken = tmp_path / "pictures" / "dogs" / "5.png"
    broken.write_bytes(b"cut short")
    with pytest.raises(DataError, match="dogs/5.png is not a readable image .*: replace or remove it"):
        go_on()
    broken.unlink()
    assert go_on().info.status == "FINISHED"


def test_a_store_that_fails_starts_no_training_anew(failed, monkeypatch):
    _, go_on = failed

    def unreachable(self, path):
        if path.endswith(".ckpt"):
            raise TrackingError("timed out")
        return fetch(self, path)

    fetch = RecordedRun.artifact
    monkeypatch.setattr(RecordedRun, "artifact", unreachable)
    with pytest.raises(TrackingError, match="timed out"):
        go_on()


def test_two_damaged_checkpoints_start_no_training_anew(failed, store, tmp_path):
    """A kill damages one; where both are damaged something else is wrong, and nothing may be written over."""
    run, go_on = failed
    for name in ("resume-0.ckpt", "resume-1.ckpt"):
        (tmp_path / name).write_bytes(b"cut short")
        store.client.log_artifact(run.info.run_id, tmp_path / name, "checkpoints")
    with pytest.raises(CheckpointError, match="checkpoints are damaged; start a new run"):
        go_on()


def test_a_resumed_run_keeps_its_number_format(failed, monkeypatch):
    """ "auto" may be float32 on a machine without bfloat16."""
    run, go_on = failed
    began = run.data.tags["train.precision"]
    other = Precision.float32 if began == "bfloat16" else Precision.bfloat16
    monkeypatch.setattr(maxexp.training.hardware, "_cpu_has_bfloat16", lambda: other is Precision.bfloat16)
    assert go_on().data.tags["train.precision"] == began
