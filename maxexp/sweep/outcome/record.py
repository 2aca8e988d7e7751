"""The parent run of a sweep: what was asked for, how it goes, what came of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

import yaml

from maxexp.base.errors import TrackingError
from maxexp.base.languages.markdown import markdown_text
from maxexp.base.secrets import address_without_secrets, values_without_secrets
from maxexp.schema.config import to_plain
from maxexp.sweep.outcome.page import sweep_page
from maxexp.sweep.outcome.report import FINAL_FOLDER, sweep_files, tables
from maxexp.sweep.workers.attributes import PARENT_RUN, STUDY_TAG
from maxexp.sweep.workers.results import OUTCOMES, Result, pareto_set, results
from maxexp.sweep.workers.study import SweepStudy, counts, is_final
from maxexp.tracking.artifacts import SUMMARY_PAGE, SWEEP, SWEEP_DESCRIPTION
from maxexp.tracking.config import TrackingConfig
from maxexp.tracking.flatten import masked
from maxexp.tracking.provenance import provenance
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store
from maxexp.tracking.sweep_tags import BEST_TRIAL_TAG

log = logging.getLogger(__name__)


class ParentRecord:
    """The parent run, open while its ``with`` block is."""

    def __init__(self, record: RunRecord, tracking: TrackingConfig) -> None:
        self._record = record
        self._tracking = tracking

    @classmethod
    def open(cls, study: SweepStudy) -> ParentRecord:
        """The sweep's run, made if it has none yet, continued otherwise.

        Raises:
            OutageError: the store is away; one that the sweep has used before was waited for.
            TrackingError: the store cannot be used, or the run was deleted.
        """
        plan = study.plan
        tracking = replace(plan.compose_first().tracking, system_metrics=False)
        if run_id := study.attribute(PARENT_RUN):
            return cls(RunRecord.resume(tracking, run_id, finished=True, patient=True), tracking)
        settings = to_plain(plan.settings)
        tags = {**provenance(), STUDY_TAG: study.name, "sweep.storage": address_without_secrets(study.url)}
        decisive = {key: settings[key] for key in ("objectives", "limits", "sampler", "pruning", "final")}
        record = RunRecord.start(tracking, f"sweep {study.name}", tags, masked(decisive))
        study.study.set_user_attr(PARENT_RUN, record.run_id)
        content = {
            "command": list(plan.command),
            "settings": {**settings, "storage": study.url},
            "space": {p.name: str(p.distribution) for p in plan.space.parameters},
        }
        record.log_text(yaml.safe_dump(values_without_secrets(content), sort_keys=False), SWEEP_DESCRIPTION)
        return cls(record, tracking)

    @property
    def run_id(self) -> str:
        return self._record.run_id

    def __enter__(self) -> Self:
        self._record.__enter__()
        self._record.settle_others()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the run, sends what trials could not send, and closes the runs of dead workers.

        Raises:
            UnsentError: the tracking store is away; the message names the folders that are to be sent later.
        """
        self._record.__exit__(kind, error, trace)
        if not self._record.away:
            self._record.settle_others()

    def progress(self, study: SweepStudy) -> None:
        """Returns how many trials there are of each outcome, and the best values so far."""
        found = results(study)
        front = pareto_set(found)
        prefix = _prefix(study)
        metrics: dict[str, float] = {
            f"{prefix}{outcome}": sum(r.outcome == outcome for r in found) for outcome in OUTCOMES
        }
        metrics[f"{prefix}pareto_size"] = len(front)
        for index, name in enumerate(study.plan.settings.objectives):
            if front:
                best = min(front, key=lambda r: (r.losses or ())[index])
                metrics[f"{prefix}best/{name}"] = best.values[name]
        self._record.log_metrics(metrics, sum(map(counts, study.trials())))

    def finish(self, studies: Sequence[SweepStudy]) -> None:
        """Tables and pictures of all phases."""
        for path, content in sweep_files(studies).items():
            if isinstance(content, str):
                self._record.log_text(content, f"{SWEEP}/{path}")
            else:
                self._record.log_figure(content, f"{SWEEP}/{path}")
        first, last = studies[0], studies[-1]
        if front := pareto_set(results(last)):
            # The parent's line in the UI is that of its best trial.
            self._record.log_metrics({**front[0].values, **front[0].tested})
            self._record.set_tags({BEST_TRIAL_TAG: f"{last.name}, trial {front[0].number}"})
        self._page(first.name, [result for study in studies for result in results(study)])
        # The second phase first: a description has a greatest length.
        self._record.describe(
            "\n\n".join(f"**{markdown_text(study.name)}**: {tables(study)}" for study in studies[::-1])
        )

    def _page(self, name: str, found: Sequence[Result]) -> None:
        """The interactive page; a sweep whose store cannot be read now ends without it, and says so."""
        try:
            page = sweep_page(name, found, open_store(self._tracking))
        except TrackingError as error:
            log.warning("The sweep has no page %s: %s", SUMMARY_PAGE, error)
            return
        if page is not None:
            self._record.log_text(page, SUMMARY_PAGE)


def _prefix(study: SweepStudy) -> str:
    """Returns the prefix of the names of a phase's metrics."""
    return f"sweep/{FINAL_FOLDER}/" if is_final(study.name) else "sweep/"
