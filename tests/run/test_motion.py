"""A signal's whole way: recordings, training, quantization, firmware, the emulated board."""

from maxexp.quantization.files.checkpoint import read_checkpoint
from maxexp.run.self_description import read_description
from maxexp.tracking.artifacts import QAT_BEST, SUMMARY_PAGE
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.reading import read_run
from maxexp.tracking.store import open_store


def test_recordings_of_a_watch_reach_the_emulated_board(run_here, store):
    run = run_here("+experiment=motion_qat", "board=emulated")
    metrics = run.data.metrics
    assert metrics["board/known_answer_pass"] == 1
    assert (metrics["board/images"], metrics["board/disagreements"]) == (40, 0), (
        "the whole test split, as integers say"
    )
    assert metrics["board/accuracy"] == metrics["test/accuracy_integer"] > 0.7, "four classes of ten each"
    recorded = read_run(open_store(TrackingConfig(uri=store.uri)), run.info.run_id)
    assert recorded.artifact(SUMMARY_PAGE).stat().st_size > 0
    own = read_description(read_checkpoint(recorded.artifact(QAT_BEST)).extras)
    assert own is not None and len(own.input_range.low) == 6, "a range for each channel, which firmware repeats"
