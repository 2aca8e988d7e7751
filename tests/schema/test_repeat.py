"""The command that repeats a run elsewhere."""

from maxexp.schema.repeat import CONFIG_DIRS, repeat_command, typed_command
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import OVERRIDES, read_run
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store


def command(folder, typed: str) -> str:
    config = TrackingConfig(f"sqlite:///{folder}/mlflow.db", system_metrics=False)
    with RunRecord.start(config, "a") as run:
        run.log_text(f"[{typed}]", OVERRIDES)
    return repeat_command(read_run(open_store(config), run.run_id))


def test_the_command_of_a_run_names_no_places_and_no_use_of_the_machine(tmp_path):
    places = "dataset.root=/x, +board.connection.port=/dev/ttyACM1, synthesis.path=/y, tracking.uri=z"
    machine = "dataset.download=false, trainer.progress=false, synthesis.timeout_s=9"
    typed = f"board=max78000fthr, {places}, {machine}, trainer.threads=1"
    assert command(tmp_path, typed) == "python -m maxexp board=max78000fthr trainer.threads=1"


def test_the_command_for_this_machine_has_all_that_was_typed(tmp_path):
    config = TrackingConfig(f"sqlite:///{tmp_path}/mlflow.db", system_metrics=False)
    with RunRecord.start(config, "a", {CONFIG_DIRS: '["/own confs"]'}) as run:
        run.log_text("[model=mine, dataset.root=/x y, trainer.progress=false]", OVERRIDES)
    typed = typed_command(read_run(open_store(config), run.run_id))
    assert typed == (
        "python -m maxexp '--config-dir=/own confs' model=mine 'dataset.root=/x y' trainer.progress=false"
    )
