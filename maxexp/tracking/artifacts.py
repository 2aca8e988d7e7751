"""Names of the artifacts of a run: every folder and file of its record."""

from maxexp.board.result import SERIAL_LOG
from maxexp.synthesis.files import NETWORK
from maxexp.training.files import FLOAT, QAT, best_file

CONFIGURATION = "config"
"""What the run was started with: configuration, command line, environment."""
RESOLVED = f"{CONFIGURATION}/resolved.yaml"
OVERRIDES = f"{CONFIGURATION}/overrides.yaml"
"""What the user typed after ``python -m maxexp``."""

CHECKPOINTS = "checkpoints"
"""What the phases of a training keep, and while it runs, what it is resumed from."""
FLOAT_BEST, QAT_BEST = f"{CHECKPOINTS}/{best_file(FLOAT)}", f"{CHECKPOINTS}/{best_file(QAT)}"

QUANTIZATION = "quantization"
"""The integer network, and what a sensitivity analysis found."""
INTEGER_SUFFIX = "-q.pth.tar"
"""End of the name of an integer network's file; the name of the network is before it."""
SENSITIVITY = f"{QUANTIZATION}/sensitivity.json"
SENSITIVITY_PAGE = f"{QUANTIZATION}/sensitivity.md"
SENSITIVITY_PICTURE = f"{QUANTIZATION}/sensitivity.png"

EVALUATION = "evaluation"
PREDICTIONS = f"{EVALUATION}/predictions.npz"
RANGES = f"{EVALUATION}/ranges.json"

SYNTHESIS = "synthesis"
"""What the network costs on the chip, and all that the synthesizer generates."""
COST = f"{SYNTHESIS}/cost.json"
MEMORY_MAP = f"{SYNTHESIS}/memory_map.png"
NETWORK_YAML = f"{SYNTHESIS}/{NETWORK}"
SYNTHESIS_REPORT = f"{SYNTHESIS}/synthesis.json"

FIRMWARE = "firmware"
BOARD = "board"
KNOWN_ANSWER = f"{BOARD}/known_answer.json"
SERIAL_OUTPUT = f"{BOARD}/{SERIAL_LOG}"

PLOTS = "plots"
LEARNING_CURVES = f"{PLOTS}/learning_curves.png"
CONFUSION_MATRIX = f"{PLOTS}/confusion_matrix.png"
RANGES_PICTURE = f"{PLOTS}/ranges.png"
SUMMARY_PICTURE = f"{PLOTS}/summary.png"
SUMMARY_PAGE = "summary.html"

SWEEP = "sweep"
"""Tables and pictures of a sweep, in the run of the sweep."""
SWEEP_DESCRIPTION = f"{SWEEP}/study.yaml"

ERRORS = "errors"
"""Text of each error that ended the run."""
