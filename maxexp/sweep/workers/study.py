"""A sweep's study in its storage: which trials there are, who works on them, which one is next.

Trials to come wait in the study as tickets (Optuna's WAITING trials). A worker takes one atomically, so that the
number of trials is what was asked for, however many processes and machines take part; a trial whose worker died goes
back to the queue under its number, with the parameters that it has.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast
from warnings import catch_warnings

import optuna
from optuna.distributions import CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.base.json_file import parse_json
from maxexp.base.languages.file_name import file_name
from maxexp.base.secrets import address_without_secrets, values_without_secrets
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.search.sampling import DistinctSampler, frozen, make_sampler
from maxexp.sweep.search.space import Parameter, Value
from maxexp.sweep.workers.attributes import DIGEST, GIVEN_BACK, LOST, OUTCOME, PLAN, REASON, STOPPED, TOTAL, WORKER
from maxexp.sweep.workers.storage import StorageError, open_storage, storage_errors, storage_lock
from maxexp.tracking.ending import summary
from maxexp.tracking.owner import identity
from maxexp.tracking.text import one_line

_FINAL = re.compile(r"\.final(\d*)$")
"""End of the name of a study's second phase: .final, and .final2 where the sweep went on with another one."""

DRAWING_S = 0.1
"""How often one looks whether another worker has drawn its point."""


class SweepStudy:
    """One study, seen from one process.

    Args:
        url: of the storage.
        storage: Optuna's.
        study: Optuna's.
        plan: with this machine's places; that of the process that joined last by default.
    """

    def __init__(self, url: str, storage: BaseStorage, study: Study, plan: Plan | None = None) -> None:
        self.url = url
        self.storage = storage
        self.study = study
        self._plan = plan
        self._ended: dict[int, tuple] = {}

    @classmethod
    def open(cls, url: str, name: str, plan: Plan | None = None) -> SweepStudy:
        """An existing study.

        Args:
            plan: as the process that works for this machine has it.

        Raises:
            StorageError: there is none of this name, or it is not a sweep of maxexp.
        """
        storage = open_storage(url)
        try:
            study = optuna.load_study(study_name=name, storage=storage)
        except KeyError as error:
            known = ", ".join(sorted(optuna.get_all_study_names(storage))) or "none"
            raise StorageError(
                f"there is no study {name} in {address_without_secrets(url)}; there are: {known}"
            ) from error
        if PLAN not in study.user_attrs:
            raise StorageError(f"study {name} in {address_without_secrets(url)} was not made by maxexp")
        return cls(url, storage, study, plan)

    @classmethod
    def create(cls, url: str, name: str, plan: Plan) -> SweepStudy:
        """The study of this name, made if there is none; its number of trials may grow.

        Raises:
            ConfigError: the study was made for another sweep, or under other configuration files.
        """
        storage = open_storage(url)
        with storage_lock(url):
            study = optuna.create_study(
                study_name=name,
                storage=storage,
                directions=plan.settings.directions,
                load_if_exists=True,
            )
            text = study.user_attrs.get(PLAN)
            if text is None and study.get_trials(deepcopy=False):
                raise ConfigError(
                    f"hydra.sweeper.study={name}: a study of this name was not made by maxexp; choose another"
                )
            digest = plan.digest()
            if text and study.user_attrs[DIGEST] != digest:
                raise ConfigError(
                    f"hydra.sweeper.study={name}: this study began with other parameters, objectives, limits, "
                    "settings or configuration files; restore those, or give a new sweep another name (or none)"
                )
            with catch_warnings(action="ignore", category=ExperimentalWarning):
                study.set_metric_names(list(plan.settings.objectives))  # for optuna-dashboard
            study.set_user_attr(DIGEST, digest)
            study.set_user_attr(PLAN, json.dumps(values_without_secrets(plan.to_plain())))
        return cls(url, storage, study, plan)

    @property
    def name(self) -> str:
        return self.study.study_name

    @property
    def folder(self) -> Path:
        """The local folder for its trials and workers, a folder within ``dir`` whatever the study is called."""
        return Path(self.plan.settings.dir) / file_name(self.name)

    @property
    def plan(self) -> Plan:
        if self._plan is None:
            self._plan = read_plan(self.study.user_attrs[PLAN], f"study {self.name}")
        return self._plan

    def trials(self) -> list[FrozenTrial]:
        """All trials as they are now, by number; not to be changed."""
        return self.study.get_trials(deepcopy=False)

    def attribute(self, key: str) -> Any:
        """An attribute of the study, None if it is not set."""
        return self.study.user_attrs.get(key)

    def over(self) -> bool:
        """Tells whether no trial is left to wait for: all are finished, or the sweep was stopped."""
        attributes = self.study.user_attrs
        if attributes.get(STOPPED):
            return True
        return TOTAL in attributes and sum(map(counts, self.trials())) >= attributes[TOTAL]

    def claim(self) -> Trial | None:
        """The next trial with its parameters drawn, now this process's.

        None if no ticket is waiting, or if the sampler cannot draw: then the trial has failed of that.
        """
        with storage_lock(self.url) as alone:
            ticket = self._next_ticket(alone)
            if ticket is None:
                return None
            inner = make_sampler(self.plan.settings.sampler, ticket.number)
            known = [self._key(t) for t in self.trials() if t.number != ticket.number]
            self.study.sampler = DistinctSampler(inner, self.plan.space, known, ticket.number)
            trial = Trial(self.study, ticket._trial_id)
            try:
                self.plan.space.draw(lambda parameter: _suggest(trial, parameter))
            except storage_errors():
                raise
            except Exception as error:  # a sampler's own, of whatever kind: the worker is not to blame
                self.fail(trial, f"no parameters could be drawn: {summary(error)}")
                return None
            return trial

    def _next_ticket(self, alone: bool) -> FrozenTrial | None:
        """The first waiting ticket that this process can take, taken.

        Args:
            alone: whether no other process takes tickets meanwhile.
        """
        for ticket in self.study.get_trials(deepcopy=False, states=(TrialState.WAITING,)):
            if alone:
                # Before it is ours: then there is no moment at which a kill leaves it without an owner.
                self.storage.set_trial_user_attr(ticket._trial_id, WORKER, identity())
            if self._take(ticket):
                if not alone:
                    self.storage.set_trial_user_attr(ticket._trial_id, WORKER, identity())
                return ticket
        return None

    def twin(self, trial: FrozenTrial | Trial) -> int | None:
        """Returns the number of an earlier trial with equal parameters that has not failed, if there is one.

        Two machines may draw the same point in the same instant; then the later trial gives way. So it waits for
        earlier ones that are being drawn, but not for dead workers: at most for the time after which those are.
        """
        mine = frozen(trial.params)
        until = time.monotonic() + self.plan.settings.grace_s
        earlier = self._before(trial)
        while any(map(self._being_drawn, earlier)) and time.monotonic() < until:
            time.sleep(DRAWING_S)
            earlier = self._before(trial)
        live = (t for t in earlier if t.state is not TrialState.FAIL)
        return next((t.number for t in live if self._key(t) == mine), None)

    def _before(self, trial: FrozenTrial | Trial) -> list[FrozenTrial]:
        return [t for t in self.trials() if t.number < trial.number]

    def _being_drawn(self, trial: FrozenTrial) -> bool:
        return trial.state is TrialState.RUNNING and not self.plan.space.whole(point_of(trial))

    def _key(self, trial: FrozenTrial) -> tuple:
        """A trial's point, to be compared; remembered once the trial has ended."""
        key = self._ended.get(trial.number) or frozen(point_of(trial))
        if trial.state.is_finished():
            self._ended[trial.number] = key
        return key

    def owned(self, trial: Trial) -> bool:
        """Tells whether a trial that this process claimed is still its own."""
        now = self.storage.get_trial(trial._trial_id)
        return now.state.name == "RUNNING" and now.user_attrs.get(WORKER) == identity()

    def put_back(self, trial: FrozenTrial | Trial, lost: bool, reason: str | None = None) -> None:
        """Returns a trial to the queue; one that has ended stays as it is.

        Args:
            lost: whether its worker died; otherwise it was asked to stop, or could not go on.
            reason: why it could not.
        """
        with suppress(UpdateFinishedTrialError):  # it ended meanwhile
            self.storage.set_trial_user_attr(trial._trial_id, GIVEN_BACK, reason)
            self.storage.set_trial_user_attr(trial._trial_id, LOST, trial.user_attrs.get(LOST, 0) + int(lost))
            # A server's database has the next worker's claim before its name: until then it must not bear the old
            # one's.
            self.storage.set_trial_user_attr(trial._trial_id, WORKER, None)
            self.storage.set_trial_state_values(trial._trial_id, TrialState.WAITING)

    def withdraw(self, ticket: FrozenTrial) -> None:
        """Ends a ticket that is not needed, unless a worker has taken it."""
        with storage_lock(self.url):
            if self._take(ticket):
                self.fail(ticket, "there are as many trials as were asked for without it", outcome="withdrawn")

    def _take(self, ticket: FrozenTrial) -> bool:
        """Makes a ticket a running trial; of all that try it, in workers and leader, one succeeds."""
        try:
            return self.storage.set_trial_state_values(ticket._trial_id, TrialState.RUNNING)
        except UpdateFinishedTrialError:
            return False

    def fail(self, trial: FrozenTrial | Trial, reason: str, outcome: str = "failed") -> None:
        """Ends a trial without a result."""
        self.storage.set_trial_user_attr(trial._trial_id, OUTCOME, outcome)
        self.storage.set_trial_user_attr(trial._trial_id, REASON, reason)
        self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


def read_plan(text: str | bytes, where: str) -> Plan:
    """The plan that a study, or another process, has as JSON.

    Args:
        where: it stands, for messages.

    Raises:
        ConfigError: it is damaged.
    """
    try:
        return Plan.from_plain(parse_json(text))
    except (
        MaxexpError,
        LookupError,
        TypeError,
        ValueError,
        ArithmeticError,
        AttributeError,
        RecursionError,
    ) as error:
        raise ConfigError(
            f"{where}: its plan is damaged: {one_line(error)}; restore the database, or begin a new sweep under "
            "another name"
        ) from error


def is_final(name: str) -> bool:
    """Tells whether a study of this name is a second phase."""
    return _FINAL.search(name) is not None


def first_phase(name: str) -> str:
    """Returns the name of a sweep's study by the name of either phase."""
    return _FINAL.sub("", name)


def open_phases(url: str, name: str) -> list[SweepStudy]:
    """A sweep's study, and that of its second phase once there is one (the latest); by the name of either.

    Raises:
        StorageError: there is no such study.
    """
    first = SweepStudy.open(url, first_phase(name))
    finals = [name] if is_final(name) else _finals(first)[-1:]
    return [first, *(SweepStudy.open(url, final) for final in finals)]


def create_final(first: SweepStudy, plan: Plan) -> SweepStudy:
    """The study of a second phase of this plan: the one that was begun, or a new one.

    Args:
        first: study of the first phase.
        plan: of the second.
    """
    finals = _finals(first)
    digest = plan.digest()
    alike = (name for name in finals if SweepStudy.open(first.url, name).study.user_attrs[DIGEST] == digest)
    new = f"{first.name}.final{len(finals) + 1 if finals else ''}"
    return SweepStudy.create(first.url, next(alike, new), plan)


def _finals(first: SweepStudy) -> list[str]:
    """Returns the names of the second phases that were begun, the latest last."""
    names = optuna.get_all_study_names(first.storage)
    finals = [name for name in names if is_final(name) and first_phase(name) == first.name]
    return sorted(finals, key=lambda name: (len(name), name))


def point_of(trial: FrozenTrial) -> Mapping[str, Value]:
    """Parameters of a trial: those given beforehand, if any, for while it is claimed it has only a part of them."""
    return trial.system_attrs.get("fixed_params") or trial.params


def counts(trial: FrozenTrial) -> bool:
    """Tells whether a trial counts towards the number asked for: it has an end, and did not fail."""
    return trial.state.is_finished() and trial.state.name != "FAIL"


def _suggest(trial: Trial, parameter: Parameter) -> Value:
    name, d = parameter.name, cast(Any, parameter.distribution)
    if isinstance(d, CategoricalDistribution):
        return trial.suggest_categorical(name, d.choices)
    suggest = trial.suggest_int if isinstance(d, IntDistribution) else trial.suggest_float
    return suggest(name, d.low, d.high, step=d.step, log=d.log)
