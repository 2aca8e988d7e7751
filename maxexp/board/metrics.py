"""The metrics that a board gives, whatever the task of the network."""

from maxexp.base.metrics import LOWER, NEITHER, Evidence, Metric, Need
from maxexp.base.number_format import COUNT, MILLISECONDS, NumberFormat


def on_board(key: str, name: str, label: str, form: NumberFormat = COUNT, better: int = NEITHER) -> Metric:
    """A metric that the stage deploy records."""
    return Metric(key, "deploy", name, label, form, better, needs=frozenset({Need.integers}), evidence=Evidence.timed)


KNOWN_ANSWER = on_board(
    "board/known_answer_pass", "known answer on the board", "known answer", NumberFormat(words=("FAIL", "PASS"))
)
BOARD_LATENCY = on_board("board/latency_us", "latency by the board's stopwatch", "board latency", MILLISECONDS, LOWER)
BOARD_IMAGES = on_board("board/images", "images computed on the board", "board images")
DISAGREEMENTS = on_board(
    "board/disagreements", "of these, differing from the integer network", "disagreements", better=LOWER
)

METRICS = (KNOWN_ANSWER, BOARD_LATENCY, BOARD_IMAGES, DISAGREEMENTS)
