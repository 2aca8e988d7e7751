"""What a stage is. Each is the class ``STAGE`` of the file that has its name, and stands in :class:`Stage`.

What refuses a stage reads nothing and imports no torch; what a stage computes with is imported where it is used.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from importlib import import_module
from typing import ClassVar

from maxexp.base.metrics import Metric
from maxexp.run.context import RunContext
from maxexp.run.networks import Form, Product
from maxexp.run.spec import RunSpec
from maxexp.schema.config import Stage
from maxexp.tracking.metrics import of_stage
from maxexp.tracking.record import RunRecord


class RunStage(ABC):
    """One stage of one run.

    Attributes:
        stage: which one.
        reads: parts of the data set that it may look at, and records: train, validation, test.

    Args:
        spec: of the run.
        context: what the stages of a run share.
    """

    stage: ClassVar[Stage]
    reads: ClassVar[tuple[str, ...]] = ()

    def __init__(self, spec: RunSpec, context: RunContext) -> None:
        self._spec = spec
        self._context = context

    @classmethod
    def metrics(cls) -> tuple[Metric, ...]:
        """Returns the metrics that the stage records."""
        return of_stage(cls.stage.name)

    @classmethod
    def refusal(cls, spec: RunSpec, network: Form) -> str | None:
        """Returns why this run makes no sense with this stage; None: it does.

        Args:
            network: what the network is when the stage begins.
        """
        return None

    @classmethod
    def skip_reason(cls, spec: RunSpec, network: Form) -> str | None:
        """Returns why the stage is skipped although it was chosen; None: it is not."""
        return None

    @classmethod
    def output_form(cls, spec: RunSpec, network: Form) -> Form:
        """Returns what the network is when the stage has ended."""
        return network

    @classmethod
    def needed_parts(cls, network: Form) -> tuple[str, ...]:
        """Parts of the data set that it needs for such a network."""
        return cls.reads

    def prepare(self) -> None:  # noqa: B027, most stages need nothing
        """Finds what the stage needs outside of the run: cheap, and done before any stage runs.

        Raises:
            MaxexpError: it is not there.
        """

    @abstractmethod
    def run(self, product: Product, record: RunRecord) -> Product:
        """Runs, and records what comes of it.

        Raises:
            MaxexpError: it fails.
        """


def stage_class(stage: Stage) -> type[RunStage]:
    """The class of a stage."""
    found: type[RunStage] = import_module(f"{__package__}.{stage.name}").STAGE
    return found
