"""What starts worker processes: this machine, joblib, Ray, or submitit on a cluster.

Workers need a storage and a study's name, nothing else, and take trials by themselves. So an engine only has to start
a function some times and to say how many are still at it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from maxexp.base.errors import MaxexpError
from maxexp.base.instantiation import build, check_arguments
from maxexp.base.secrets import KEPT
from maxexp.sweep.search.plan import Plan

KEY = "hydra.sweeper.launcher"

GRACE_S = 60.0
"""Seconds that workers have to close their runs, and to give their trials back, when they are asked to stop."""


@dataclass(frozen=True)
class Work:
    """What each worker is to do.

    Attributes:
        url: of the study's storage.
        name: of the study.
        threads: CPU threads of each training; None: as the configuration says.
        plan: that the workers are to follow.
        folder: for the workers' own output.
        kept: secrets of addresses, for processes that have not this one's environment; of a job that is a file, none.
    """

    url: str
    name: str
    threads: int | None
    plan: Plan
    folder: Path
    kept: str | None = None

    def with_secrets(self) -> Work:
        """The same with the secrets that this process has."""
        return replace(self, kept=os.environ.get(KEPT))


class Launcher(ABC):
    """Starts workers and knows how many have not ended.

    Constructors take ``work``, a :class:`Work`, and what ``hydra.sweeper.launcher`` has beside ``_target_``.

    Attributes:
        local: whether its workers share this machine, whose cores are then divided among them.
    """

    local: ClassVar[bool] = False

    @abstractmethod
    def __init__(self, work: Work) -> None:
        """Raises ImportError if what it needs is not installed."""

    @abstractmethod
    def start(self, count: int) -> None:
        """Starts ``count`` more workers."""

    @abstractmethod
    def alive(self) -> int:
        """Returns the number of workers that have not ended."""

    @abstractmethod
    def stop(self) -> None:
        """Stops all workers and waits until they have ended; those that can, return their trials first."""


def launcher_class(chosen: Mapping[str, Any]) -> type[Launcher]:
    """The class that the configuration names. Raises ConfigError if it names none, or arguments that it lacks."""
    return check_arguments(KEY, chosen, Launcher, ("work",))


def make_launcher(chosen: Mapping[str, Any], work: Work) -> Launcher:
    """The launcher of a configuration.

    Raises:
        ConfigError: it is not installed, or refuses its arguments.
    """
    launcher: Launcher = build(KEY, chosen, Launcher, work=work)
    return launcher


class LocalLauncher(Launcher):
    """Processes of this machine. They end with this process, even if it is killed: their standard input closes."""

    local = True

    def __init__(self, work: Work) -> None:
        self._command = [sys.executable, "-m", "maxexp.sweep.workers.worker", work.url, work.name]
        self._command += ["--threads", str(work.threads)] if work.threads else []
        self._plan = json.dumps(work.plan.to_plain()).encode() + b"\n"
        self._folder = work.folder
        self._running: list[subprocess.Popen] = []
        self._started = 0

    def start(self, count: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        for _ in range(count):
            with open(self._folder / f"worker-{self._started}.log", "ab") as output:
                process = subprocess.Popen(
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C reaches them through us, once
                )
            assert process.stdin is not None
            with suppress(BrokenPipeError):  # it has ended already; its log says why
                process.stdin.write(self._plan)
                process.stdin.flush()
            self._running.append(process)
            self._started += 1

    def alive(self) -> int:
        self._running = [process for process in self._running if process.poll() is None]
        return len(self._running)

    def stop(self) -> None:
        for process in self._running:
            assert process.stdin is not None
            process.stdin.close()
        for process in self._running:
            try:
                process.wait(GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _work(work: Work, cwd: str) -> int:
    """A worker inside of another library's process."""
    os.chdir(cwd)
    if work.kept:
        os.environ[KEPT] = work.kept
    from maxexp.sweep.workers.worker import work as take_trials

    return take_trials(work.url, work.name, work.threads, work.plan)


class JoblibLauncher(Launcher):
    """joblib's processes (or dask and others that it knows).

    Args:
        options: of joblib.parallel_config.
    """

    local = True

    def __init__(self, work: Work, options: Mapping[str, Any]) -> None:
        import joblib

        self._joblib = joblib
        self._options = {"backend": "loky", **options}
        self._work, self._folder = work.with_secrets(), os.getcwd()
        self._batches: list[tuple[threading.Thread, int]] = []
        self._stopped = False

    def start(self, count: int) -> None:
        def run() -> None:
            try:
                with self._joblib.parallel_config(**self._options):
                    call = self._joblib.delayed(_work)
                    self._joblib.Parallel(n_jobs=count)(call(self._work, self._folder) for _ in range(count))
            except Exception:
                if not self._stopped:
                    raise

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        self._batches.append((thread, count))

    def alive(self) -> int:
        return sum(count for thread, count in self._batches if thread.is_alive())

    def stop(self) -> None:
        if not self.alive():
            return
        from joblib.externals.loky import get_reusable_executor

        self._stopped = True
        # The one that joblib has made: for another, this would wait until the workers end by themselves.
        get_reusable_executor(reuse=True).shutdown(wait=True, kill_workers=True)


class RayLauncher(Launcher):
    """Tasks of Ray, on this machine or on the cluster that ``options.address`` names.

    Args:
        options: of ray.init.
    """

    def __init__(self, work: Work, options: Mapping[str, Any]) -> None:
        import ray

        self._ray = ray
        if not ray.is_initialized():
            ray.init(**{"include_dashboard": False, "log_to_driver": False, **options})
        self._remote = ray.remote(max_retries=0)(_work)
        self._work, self._folder = work.with_secrets(), os.getcwd()
        self._tasks: list[Any] = []

    def start(self, count: int) -> None:
        self._tasks += [
            self._remote.options(num_cpus=self._work.threads or 1).remote(self._work, self._folder)
            for _ in range(count)
        ]

    def alive(self) -> int:
        if self._tasks:
            ended, self._tasks = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=0)
        return len(self._tasks)

    def stop(self) -> None:
        for task in self._tasks:
            self._ray.cancel(task)  # as by Ctrl-C; by force, a worker would leave its trial as if it had died on it
        if self._tasks:
            _, late = self._ray.wait(self._tasks, num_returns=len(self._tasks), timeout=GRACE_S)
            for task in late:
                self._ray.cancel(task, force=True)
        self._ray.shutdown()


class SubmititLauncher(Launcher):
    """Jobs of SLURM through submitit.

    Args:
        options: of submitit's ``update_parameters``, and ``cluster``.
    """

    def __init__(self, work: Work, options: Mapping[str, Any]) -> None:
        import submitit

        options = {"timeout_min": 24 * 60, **options}
        jobs = work.folder / "submitit"
        # A job is a file with the whole plan; a command in it may have a password that nobody knows for one.
        jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._executor = submitit.AutoExecutor(jobs, cluster=options.pop("cluster", None))
        self._executor.update_parameters(**options)
        self._work, self._folder = work, os.getcwd()
        self._jobs: list[Any] = []

    def start(self, count: int) -> None:
        try:
            self._jobs += [self._executor.submit(_work, self._work, self._folder) for _ in range(count)]
        except Exception as error:
            raise MaxexpError(f"{KEY}: the job was not accepted: {error}") from error

    def alive(self) -> int:
        self._jobs = [job for job in self._jobs if not job.done()]
        return len(self._jobs)

    def stop(self) -> None:
        for job in self._jobs:
            job.cancel()
