"""One trial: its configuration, its verdict before training, its run, its values."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

from maxexp.base.disk import writing
from maxexp.base.errors import DiskFullError, MaxexpError, OutageError, TrainingError, UnsentError
from maxexp.base.interruptions import interruptions_kept
from maxexp.run.composition import compose_config
from maxexp.run.execution import LONGEST_NAME, execute, log_configuration, start_record
from maxexp.run.pipeline import prepare
from maxexp.run.spec import RunSpec
from maxexp.schema.config import Config
from maxexp.sweep.search.config import Direction
from maxexp.sweep.search.limits import Verdict, judge, parse_limits
from maxexp.sweep.search.objectives import objective_values
from maxexp.sweep.search.pruning import Rival, hopeless
from maxexp.sweep.workers.attributes import (
    BASELINE_LIMIT,
    COSTS,
    CURVE,
    INFEASIBLE_TAG,
    LOST,
    OUTCOME,
    PARENT_RUN,
    PARENT_TAG,
    PLACEHOLDERS,
    QAT_EPOCH,
    REASON,
    RUN,
    SECONDS,
    STUDY_TAG,
    TESTED,
    TRIAL_TAG,
)
from maxexp.sweep.workers.results import behind_baseline
from maxexp.sweep.workers.storage import storage_errors
from maxexp.sweep.workers.study import SweepStudy, counts, is_final
from maxexp.tracking.artifacts import CONFIGURATION
from maxexp.tracking.ending import summary
from maxexp.tracking.metrics import TEST_RESULTS
from maxexp.tracking.reading import RecordedRun, find_tagged_runs
from maxexp.tracking.record import RunRecord
from maxexp.tracking.store import open_store
from maxexp.tracking.sweep_tags import STATE_TAG
from maxexp.training import metrics as training

log = logging.getLogger(__name__)


PASSING = (OutageError, DiskFullError)
"""A tracking store that is away and a full disk: the next trial would end alike."""


def blameless() -> tuple[type[Exception], ...]:
    """Returns the exceptions that are no fault of a trial: it can be resumed later, however often that happens."""
    return (*storage_errors(), *PASSING)


class PrunedError(Exception):
    """The training was pruned; this is no failure."""


class TrialRun:
    """Carries out one trial that this process has claimed.

    Args:
        threads: CPU threads of its training, where its configuration names none; None: all.
    """

    def __init__(self, study: SweepStudy, trial: Trial, threads: int | None) -> None:
        self._study = study
        self._trial = trial
        self._plan = study.plan
        self._overrides = self._plan.trial_overrides(trial.params)
        self._threads = threads
        self._folder = trial_folder(study, trial.number)
        self._curve = curve_of(trial.user_attrs)
        self._qat_epoch: int | None = trial.user_attrs.get(QAT_EPOCH)
        self._warned = False

    def run(self) -> str:
        """Executes the trial and tells the study how it ended: complete, infeasible, pruned or failed.

        KeyboardInterrupt, SIGTERM, errors of the storage, a tracking store that is away and a full disk pass, and
        leave the trial as it is: it can be continued.
        """
        started = time.monotonic()
        values: list[float] | None
        try:
            with interruptions_kept():
                outcome, reason, values = self._execute()
        except blameless():
            raise
        except Exception as error:
            # Any other failure of a trial is a result of the sweep; the run has the traceback.
            log.exception("trial %d failed", self._trial.number)
            outcome, reason, values = "failed", summary(error), None
        if not self._study.owned(self._trial):
            log.warning("trial %d was reassigned: this worker's heartbeat timed out", self._trial.number)
            return "lost"
        self._trial.set_user_attr(SECONDS, round(time.monotonic() - started, 3))
        self._tell(outcome, reason, values)
        return outcome

    def _execute(self) -> tuple[str, str | None, list[float] | None]:
        try:
            with interruptions_kept():
                config = self._compose()
                verdict = judge(config, parse_limits(self._plan.settings.limits))
        except MaxexpError as error:
            self._record_refused(error)
            raise
        self._note(verdict)
        # Only a trial that came back to the queue can have a run already.
        earlier = self._earlier_run(config) if LOST in self._trial.user_attrs else None
        if earlier and earlier.status in ("FINISHED", "FAILED") and STATE_TAG in earlier.tags:
            return self._read(earlier)
        if verdict.reason:
            self._record_infeasible(config, verdict, earlier)
            return "infeasible", verdict.reason, self._placeholders(verdict)
        return self._train(config, verdict.spec, earlier)

    def _compose(self) -> Config:
        """The configuration of the trial, with its share of the cores where that names no number of threads."""
        config = compose_config(self._overrides, self._plan.searchpath)
        if self._threads and config.trainer.threads is None:
            config = replace(config, trainer=replace(config.trainer, threads=self._threads))
            self._overrides.append(f"trainer.threads={self._threads}")
        return config

    def _train(
        self, config: Config, spec: RunSpec | None, earlier: RecordedRun | None
    ) -> tuple[str, str | None, list[float] | None]:
        record = self._open(config, earlier)
        outcome, reason, values = "complete", None, None
        with _sent_later(), record:
            self._trial.set_user_attr(RUN, record.run_id)
            # An earlier worker may have died before it had stored the configuration.
            if not (earlier and earlier.artifacts(CONFIGURATION)):
                log_configuration(record, config, self._overrides)
            if self._plan.settings.pruning:
                record.watch(self._prune)
            try:
                with interruptions_kept():
                    execute(prepare(config, self._folder, earlier, spec), record)
                values = self._values(record.metrics())
            except (PrunedError, TrainingError) as end:
                # A training that diverged would do so again: that is a result of its point, and no failure.
                outcome, reason = "pruned", str(end)
                # The stage saw an exception and called it a failure.
                record.set_tags({REASON: reason, "stage.train": outcome})
            except blameless():
                raise
            except Exception:
                # By this a run of which the trial is over is told from one that the storage ended.
                record.set_tags({STATE_TAG: "failed"})
                raise
            record.set_tags({STATE_TAG: outcome})
        return outcome, reason, values

    def _values(self, metrics: Mapping[str, float]) -> list[float]:
        tested = {metric.key: metrics[metric.key] for metric in TEST_RESULTS if metric.key in metrics}
        self._trial.set_user_attr(TESTED, tested)
        return objective_values(self._plan.settings.objectives, metrics)

    def _open(self, config: Config, earlier: RecordedRun | None) -> RunRecord:
        """The record of this trial, new or continued."""
        if earlier:
            return RunRecord.resume(config.tracking, earlier.run_id, patient=True)
        searchpath = self._plan.searchpath
        return start_record(config, self._overrides, self._tags(), self._name(), True, searchpath)

    def _record_infeasible(self, config: Config, verdict: Verdict, earlier: RecordedRun | None) -> None:
        config = replace(config, tracking=replace(config.tracking, system_metrics=False))
        with _sent_later(), self._open(config, earlier) as record:
            self._trial.set_user_attr(RUN, record.run_id)
            log_configuration(record, config, self._overrides, environment=False)
            constraints = {f"constraint/{name}": value for name, value in verdict.constraints.items()}
            record.log_metrics({**verdict.costs, **constraints})
            record.set_tags({STATE_TAG: "infeasible", INFEASIBLE_TAG: verdict.reason})
            record.describe(f"Never trained: {verdict.reason}")

    def _record_refused(self, error: MaxexpError) -> None:
        """The run of a trial whose configuration makes no sense: it has the error alone."""
        tracking = replace(self._plan.compose_first().tracking, system_metrics=False)
        record = RunRecord.start(tracking, self._name(), self._tags(), {}, patient=True)
        try:
            with record:
                self._trial.set_user_attr(RUN, record.run_id)
                raise error
        except MaxexpError:
            return

    def _earlier_run(self, config: Config) -> RecordedRun | None:
        """The run that an earlier worker began for this trial, if it came so far."""
        store = open_store(config.tracking, patient=True)
        found = find_tagged_runs(store, config.tracking.experiment, self._tags())
        return found[0] if found else None

    def _read(self, run: RecordedRun) -> tuple[str, str | None, list[float] | None]:
        """Returns how a run ended whose worker died before it could tell the study."""
        self._trial.set_user_attr(RUN, run.run_id)
        state = run.tags.get(STATE_TAG)
        if state == "complete":
            return "complete", None, self._values(run.metrics)
        if state == "infeasible":
            return "infeasible", run.tags[INFEASIBLE_TAG], self._placeholders(Verdict(run.metrics, {}))
        if state == "pruned":
            return "pruned", run.tags.get(REASON, ""), None
        return "failed", run.tags.get("error", "the run ended without a result"), None

    def _note(self, verdict: Verdict) -> None:
        """Tells the study what is known before training."""
        self._constrain(verdict.constraints)
        objectives = self._plan.settings.objectives
        costs = {n: verdict.costs[n] * _sign(d) for n, d in objectives.items() if n in verdict.costs}
        self._trial.set_user_attr(COSTS, costs)

    def _constrain(self, constraints: Mapping[str, float]) -> None:
        """Sets constraints; those that an earlier worker of this trial has set stay."""
        known = self._trial.storage.get_trial(self._trial._trial_id).constraints
        for name, value in constraints.items():
            if name not in known:
                self._trial.set_constraint(name, value)

    def _placeholders(self, verdict: Verdict) -> list[float]:
        """Values for a trial that was never trained: exact costs, and for the rest the worst that any trial has.

        Samplers compare infeasible trials by their constraints; some want a number all the same.
        """
        values, missing = [], []
        finished = [t for t in self._study.trials() if counts(t) and t.values and not t.user_attrs.get(PLACEHOLDERS)]
        for index, (name, direction) in enumerate(self._plan.settings.objectives.items()):
            if name in verdict.costs:
                values.append(verdict.costs[name])
                continue
            missing.append(name)
            worst = min if direction is Direction.maximize else max
            values.append(worst((t.values[index] for t in finished), default=0.0))
        self._trial.set_user_attr(PLACEHOLDERS, missing)
        return values

    def _prune(self, metrics: Mapping[str, Any], step: int | None) -> None:
        """Compares the curve with the others after each epoch; raises PrunedError where the training is pruned."""
        pruning = self._plan.settings.pruning
        assert pruning is not None
        self._qat_epoch = metrics.get(training.QAT_EPOCH.key, self._qat_epoch)
        if pruning.metric not in metrics or step is None:
            return
        self._curve[step] = float(metrics[pruning.metric])
        try:
            others = self._noted()
        except Exception as error:
            # The storage's, of whatever kind. An epoch that is not compared is no reason to end a training.
            if not self._warned:
                log.warning("trial %d trains on without its rivals: %s", self._trial.number, summary(error))
            self._warned = True
            return
        rivals = [
            Rival(t.user_attrs.get(COSTS, {}), curve_of(t.user_attrs), t.user_attrs.get(QAT_EPOCH)) for t in others
        ]
        if hopeless(pruning, self._trial.user_attrs.get(COSTS, {}), self._curve, rivals, self._qat_epoch):
            raise PrunedError(
                f"{pruning.metric} {self._curve[step]:.4f} in epoch {step + 1}: the best so far is worse than "
                f"percentile {pruning.percentile:g} of the trials that cost no more"
            )

    def _noted(self) -> list[FrozenTrial]:
        """The other trials, after this one's curve is noted for them: all that needs the storage, and only that."""
        self._trial.set_user_attr(CURVE, {str(epoch): value for epoch, value in self._curve.items()})
        self._trial.set_user_attr(QAT_EPOCH, self._qat_epoch)
        return [t for t in self._study.trials() if t.number != self._trial.number]

    def _tell(self, outcome: str, reason: str | None, values: Sequence[float] | None) -> None:
        if outcome == "failed":
            self._study.fail(self._trial, reason or "unknown")
            return
        if self._plan.settings.reach_baseline:
            # Samplers want each constraint of each trial; one without a value is as far behind as can be.
            behind = 1.0
            if outcome == "complete" and values:
                behind = behind_baseline(self._study, self._trial.params, values[0])
            self._constrain({BASELINE_LIMIT: behind})
        self._trial.set_user_attr(OUTCOME, outcome)
        if reason:
            self._trial.set_user_attr(REASON, reason)
        if outcome == "pruned":
            self._study.study.tell(self._trial, state=TrialState.PRUNED)
        else:
            self._study.study.tell(self._trial, values)

    def _tags(self) -> dict[str, str]:
        """Returns the tags that mark this trial's run."""
        parent = self._study.attribute(PARENT_RUN) or ""
        return {PARENT_TAG: parent, STUDY_TAG: self._study.name, TRIAL_TAG: str(self._trial.number)}

    def _name(self) -> str:
        phase = "final " if is_final(self._study.name) else ""
        params = [o.lstrip("+").removeprefix("model.layers.") for o in self._plan.space.overrides(self._trial.params)]
        return f"{phase}{self._trial.number:04d} {' '.join(params)}"[:LONGEST_NAME]


@contextmanager
def _sent_later() -> Iterator[None]:
    """Lets a trial have ended whose record waits in a folder: the next run, or the sweep at its end, sends that."""
    try:
        yield
    except UnsentError as error:
        log.warning("%s", error)


def trial_folder(study: SweepStudy, number: int) -> Path:
    """The local folder of a trial, by its number."""
    return study.folder / f"{number:04d}"


def curve_of(attributes: Mapping[str, Any]) -> dict[int, float]:
    """A trial's curve by epoch, from the trial's attributes."""
    return {int(epoch): value for epoch, value in attributes.get(CURVE, {}).items()}


@contextmanager
def log_file(folder: Path) -> Iterator[None]:
    """Sends what is logged into a file of the trial."""
    with writing("log of the trial", folder / "trial.log"):
        folder.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(folder / "trial.log")
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
        handler.close()


def _sign(direction: Direction) -> float:
    return 1.0 if direction is Direction.minimize else -1.0
