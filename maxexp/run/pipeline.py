"""The stages of a run: all that may keep them from running is told at once, then they run one after another."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from maxexp.base.errors import ConfigError, MaxexpError, OutageError
from maxexp.quantization.config import Method
from maxexp.run.composition import described_network
from maxexp.run.context import RunContext
from maxexp.run.networks import Product, RunNetwork
from maxexp.run.spec import RunSpec, describe
from maxexp.run.stages.plan import planned_stages, refusals
from maxexp.run.start import starting_network
from maxexp.schema.config import Config
from maxexp.tracking.reading import RecordedRun
from maxexp.tracking.record import RunRecord

log = logging.getLogger(__name__)


class Pipeline:
    """The chosen stages of one run, ready to run; see :func:`prepare`."""

    def __init__(self, spec: RunSpec, start: RunNetwork, context: RunContext) -> None:
        self.spec = spec
        self.folder = context.folder
        self._start = start
        self._context = context
        self._stages = [(each, each.kind(spec, context)) for each in planned_stages(spec)]

    def prepare(self) -> None:
        """Finds what the stages need outside of the run; data last, for they may have to be downloaded.

        Raises:
            MaxexpError: something is missing; names all that is.
        """
        wanted = [(each, stage) for each, stage in self._stages if not each.skipped]
        _collect_errors(stage.prepare for _, stage in wanted)
        parts = [part for each, stage in wanted for part in stage.needed_parts(each.input_form)]
        if parts:
            self._context.check_data(parts)

    def run(self, record: RunRecord) -> None:
        """Runs the stages, and records each; an exception of one ends the run."""
        tags = {"quantization": self.spec.method.name}
        if self.spec.method is not Method.float:
            tags["weight_bits"] = ",".join(map(str, sorted(set(self.spec.bits.values()))))
        record.set_tags(tags)
        product = Product(self._start)
        for planned, stage in self._stages:
            name = stage.stage.name
            if planned.skipped:
                if self.spec.runs(stage.stage):
                    log.info("%s: skipped, %s", name, planned.skipped)
                record.skip_stage(name, planned.skipped)
                continue
            with record.stage(name):
                product = stage.run(product, record)


def prepare(
    config: Config, folder: Path, earlier: RecordedRun | None = None, known: RunSpec | None = None
) -> Pipeline:
    """A run of which nothing is known that would keep it from its first stage.

    Args:
        folder: local folder for files on their way to the record.
        earlier: what the record holds of it, where an earlier process began it.
        known: what was found out about it before.

    Raises:
        MaxexpError: the stages or the configuration make no sense, the network does not fit, or something is missing.
    """
    network = known.network if known else described_network(config)
    context = RunContext(config, folder, earlier)
    start = starting_network(config, network, context)
    spec = describe(config, network, start, known)
    if found := refusals(spec):
        raise ConfigError(_joined(found))
    pipeline = Pipeline(spec, start, context)
    pipeline.prepare()
    return pipeline


def _collect_errors(works: Iterable[Callable[[], None]]) -> None:
    """Calls all functions, whichever of them fails; raises what failed, as one error where several did.

    An outage of the tracking store is raised at once: it is nobody's mistake, and passes.
    """
    errors = []
    for work in works:
        try:
            work()
        except OutageError:
            raise
        except MaxexpError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigError(_joined([str(error) for error in errors])) from errors[0]


def _joined(texts: Sequence[str]) -> str:
    return "; also: ".join(texts)
