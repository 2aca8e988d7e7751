"""A score of a task, and the metrics of the run record under which a network is given it."""

from dataclasses import dataclass

from maxexp.base.metrics import Evidence, Metric, Need, Shown
from maxexp.base.number_format import NumberFormat

INTEGERS = frozenset({Need.integers})


@dataclass(frozen=True)
class Score:
    """A number by which a task judges a network, such as the accuracy.

    Attributes:
        name: within metric keys: ``accuracy`` in ``val/accuracy`` and ``test/accuracy_integer``.
        label: for people.
        better: HIGHER or LOWER.
        form: how its values are written.
        selects: whether epochs, trials and tables choose by it; it is the first in tables.
        tested: whether it is computed of test images, too; else only of validation images after each epoch.
    """

    name: str
    label: str
    better: int
    form: NumberFormat
    selects: bool = False
    tested: bool = True

    def beats(self, value: float, other: float) -> bool:
        """Tells whether a value of this score is better than another; NaN beats nothing."""
        return self.better * value > self.better * other

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics of this score."""
        selecting = (self.train, self.chosen, self.validation_integer) if self.selects else ()
        tested = (self.test_integer, self.test_float, self.test_quantized, self.board) if self.tested else ()
        return (*tested, *selecting, self.validation)

    @property
    def train(self) -> Metric:
        """The score on the training examples, after each epoch, by the network as it was while it saw them."""
        return self._metric(f"train/{self.name}", "train", f"training {self.label}", "training", per_epoch=True)

    @property
    def validation(self) -> Metric:
        """The score on the validation examples, after each epoch."""
        return self._metric(f"val/{self.name}", "train", f"validation {self.label}", "validation", per_epoch=True)

    @property
    def chosen(self) -> Metric:
        """The score on the validation examples, in the epoch whose weights are kept."""
        name = f"validation {self.label}, chosen epoch"
        return self._metric(f"val/best_{self.name}", "train", name, "validation", main=True)

    @property
    def validation_integer(self) -> Metric:
        """The score on the validation examples, by the integer network."""
        name = f"validation {self.label}, integers"
        return self._metric(f"val/{self.name}_integer", "quantize", name, "validation, integer", needs=INTEGERS)

    @property
    def test_integer(self) -> Metric:
        """The score on the test examples, by the integer network: what the chip computes."""
        name = f"test {self.label}, integers as on the chip"
        return self._metric(f"test/{self.name}_integer", "evaluate", name, "integer", main=True, needs=INTEGERS)

    @property
    def test_float(self) -> Metric:
        """The score on the test examples, with nothing rounded."""
        name = f"test {self.label}, nothing rounded"
        return self._metric(f"test/{self.name}_float", "evaluate", name, "float", main=True)

    @property
    def test_quantized(self) -> Metric:
        """The score on the test examples, with quantization simulated."""
        name = f"test {self.label}, quantization simulated"
        return self._metric(f"test/{self.name}_quantized", "evaluate", name, "simulated", needs=INTEGERS)

    @property
    def board(self) -> Metric:
        """The score on the examples that a board computed."""
        name, evidence = f"{self.label} on the board", Evidence.timed
        return self._metric(f"board/{self.name}", "deploy", name, "board", needs=INTEGERS, evidence=evidence)

    def test(self, kind: str) -> Metric:
        """The score on the test examples, by a ``float``, ``quantized`` or ``integer`` network."""
        metrics = {"float": self.test_float, "quantized": self.test_quantized, "integer": self.test_integer}
        return metrics[kind]

    def _metric(
        self,
        key: str,
        stage: str,
        name: str,
        place: str,
        *,
        main: bool = False,
        per_epoch: bool = False,
        needs: frozenset[Need] = frozenset(),
        evidence: Evidence = Evidence.computed,
    ) -> Metric:
        shown = Shown.main if main and self.selects else Shown.result if self.tested else Shown.detail
        return Metric(
            key,
            stage,
            name,
            f"{self.label}, {place}",
            self.form,
            self.better,
            shown,
            per_epoch,
            needs=needs,
            evidence=evidence,
        )
