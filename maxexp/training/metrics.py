"""The metrics of training and evaluation, whatever the task of the network."""

from maxexp.base.metrics import LOWER, Metric, Need, Shown
from maxexp.base.number_format import HOURS, IMAGES_PER_SECOND, PERCENT, SECONDS, NumberFormat

LOSS_FORMAT = NumberFormat(digits=3)

TRAINING_LOSS = Metric("train/loss", "train", "training loss", "loss, training", LOSS_FORMAT, LOWER, per_epoch=True)
VALIDATION_LOSS = Metric(
    "val/loss", "train", "validation loss", "loss, validation", LOSS_FORMAT, LOWER, per_epoch=True
)


def _detail(key: str, stage: str, name: str, form: NumberFormat, per_epoch: bool = False) -> Metric:
    return Metric(key, stage, name, name, form, shown=Shown.detail, per_epoch=per_epoch)


SECONDS_OF_EPOCH = _detail("train/seconds", "train", "seconds of an epoch", SECONDS, per_epoch=True)
TRAINING_SPEED = _detail("train/images_per_s", "train", "training speed", IMAGES_PER_SECOND, per_epoch=True)
LEARNING_RATE = _detail("train/learning_rate", "train", "learning rate", NumberFormat(digits=6), per_epoch=True)
EPOCHS = _detail("train/epochs", "train", "epochs", NumberFormat())
TRAINING_TIME = Metric("train/hours", "train", "training time, validation left out", "training", HOURS)
QAT_EPOCH = _detail("train/qat_epoch", "train", "first quantization-aware epoch", NumberFormat())
BEST_EPOCH = _detail("val/best_epoch", "train", "chosen epoch", NumberFormat())
TEST_IMAGES = _detail("test/images", "evaluate", "test images", NumberFormat())
DISAGREEMENT = Metric(
    "test/quantized_integer_disagreement",
    "evaluate",
    "share of test images on which simulation and integers differ",
    "simulation and integers differ",
    PERCENT,
    LOWER,
    Shown.detail,
    needs=frozenset({Need.integers}),
)

METRICS = (
    TRAINING_LOSS,
    VALIDATION_LOSS,
    SECONDS_OF_EPOCH,
    TRAINING_SPEED,
    LEARNING_RATE,
    EPOCHS,
    TRAINING_TIME,
    QAT_EPOCH,
    BEST_EPOCH,
    TEST_IMAGES,
    DISAGREEMENT,
)
