"""The stages of a run, and whether each may run: decided here, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from maxexp.run.networks import Form
from maxexp.run.spec import RunSpec
from maxexp.run.stages.base import RunStage, stage_class
from maxexp.schema.config import Stage

NOT_CHOSEN = "not among stages"


@dataclass(frozen=True)
class Planned:
    """A stage of a run.

    Attributes:
        input_form: what the network is when it begins.
        skipped: why it does not run; None: it runs.
        refusal: why the run makes no sense with it; None: it does.
    """

    kind: type[RunStage]
    input_form: Form
    skipped: str | None = None
    refusal: str | None = None


def planned_stages(spec: RunSpec) -> list[Planned]:
    """All stages in their order, those that do not run, too."""
    network, plan = spec.start, []
    for stage in Stage:
        kind = stage_class(stage)
        if not spec.runs(stage):
            plan.append(Planned(kind, network, NOT_CHOSEN))
            continue
        skipped = kind.skip_reason(spec, network)
        plan.append(Planned(kind, network, skipped, kind.refusal(spec, network)))
        network = network if skipped else kind.output_form(spec, network)
    return plan


def refusals(spec: RunSpec) -> list[str]:
    """All that keeps a run from its stages, found without input or output; each once."""
    found = [spec.contradiction, *(each.refusal for each in planned_stages(spec))]
    return list(dict.fromkeys(text for text in found if text))


def read_parts(stages: list[Stage]) -> list[str]:
    """The parts of the data set that these stages may look at."""
    return sorted({part for stage in stages for part in stage_class(stage).reads})
