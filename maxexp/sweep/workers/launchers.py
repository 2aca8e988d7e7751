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
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from maxexp.base.errors import ConfigError, MaxexpError
from maxexp.sweep.search.config import Engine, LauncherConfig
from maxexp.sweep.search.plan import Plan
from maxexp.sweep.workers.study import SweepStudy

GRACE_S = 60.0
"""Seconds that workers have to close their runs, and to give their trials back, when they are asked to stop."""


class Workers(Protocol):
    """Started workers."""

    def start(self, count: int) -> None:
        """Start so many more."""

    def alive(self) -> int:
        """How many have not ended."""

    def stop(self) -> None:
        """End all, and wait until they have; those that can be asked to give their trials back first."""


def make_workers(config: LauncherConfig, study: SweepStudy, threads: int | None, folder: Path) -> Workers:
    """The engine of a configuration.

    Args:
        study: with the plan that the workers are to follow.
        threads: CPU threads of each worker's training.
        folder: for the workers' own output.

    Raises:
        ConfigError: the engine is not installed.
    """
    if config.name is Engine.local:
        return LocalWorkers(study, threads, folder)
    engines: dict[Engine, Callable[..., Workers]] = {
        Engine.joblib: JoblibWorkers,
        Engine.ray: RayWorkers,
        Engine.submitit: SubmititWorkers,
    }
    try:
        return engines[config.name](config.options, (study.url, study.name, threads, study.plan), folder)
    except ImportError as error:
        raise ConfigError(
            f"launcher={config.name.name}: {error.name} is not installed; run: pip install {error.name}"
        ) from error


class LocalWorkers:
    """Processes of this machine. They end with this process, even if it is killed: their standard input closes."""

    def __init__(self, study: SweepStudy, threads: int | None, folder: Path) -> None:
        self._command = [sys.executable, "-m", "maxexp.sweep.workers.worker", study.url, study.name]
        self._command += ["--threads", str(threads)] if threads else []
        self._plan = json.dumps(study.plan.to_plain()).encode() + b"\n"
        self._folder = folder
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


def _work(url: str, name: str, threads: int | None, plan: Plan, cwd: str) -> int:
    """A worker inside of another engine's process."""
    os.chdir(cwd)
    from maxexp.sweep.workers.worker import work

    return work(url, name, threads, plan)


class JoblibWorkers:
    """joblib's processes (or dask and others that it knows)."""

    def __init__(self, options: dict[str, Any], work: tuple, folder: Path) -> None:
        import joblib

        self._joblib = joblib
        self._options = {"backend": "loky", **options}
        self._work = (*work, os.getcwd())
        self._batches: list[tuple[threading.Thread, int]] = []
        self._stopped = False

    def start(self, count: int) -> None:
        def run() -> None:
            try:
                with self._joblib.parallel_config(**self._options):
                    call = self._joblib.delayed(_work)
                    self._joblib.Parallel(n_jobs=count)(call(*self._work) for _ in range(count))
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


class RayWorkers:
    """Tasks of Ray, on this machine or on the cluster that ``options.address`` names."""

    def __init__(self, options: dict[str, Any], work: tuple, folder: Path) -> None:
        import ray

        self._ray = ray
        if not ray.is_initialized():
            ray.init(**{"include_dashboard": False, "log_to_driver": False, **options})
        self._remote = ray.remote(max_retries=0)(_work)
        self._work = (*work, os.getcwd())
        self._tasks: list[Any] = []

    def start(self, count: int) -> None:
        cpus = self._work[2] or 1
        self._tasks += [self._remote.options(num_cpus=cpus).remote(*self._work) for _ in range(count)]

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


class SubmititWorkers:
    """Jobs of SLURM through submitit; ``options`` are those of its ``update_parameters``, ``cluster`` apart."""

    def __init__(self, options: dict[str, Any], work: tuple, folder: Path) -> None:
        import submitit

        options = {"timeout_min": 24 * 60, **options}
        try:
            self._executor = submitit.AutoExecutor(folder / "submitit", cluster=options.pop("cluster", None))
            self._executor.update_parameters(**options)
        except (NameError, RuntimeError, ValueError) as error:
            raise ConfigError(f"launcher=submitit: {error}") from error
        self._work = (*work, os.getcwd())
        self._jobs: list[Any] = []

    def start(self, count: int) -> None:
        try:
            self._jobs += [self._executor.submit(_work, *self._work) for _ in range(count)]
        except Exception as error:
            raise MaxexpError(f"launcher=submitit: the job was not accepted: {error}") from error

    def alive(self) -> int:
        self._jobs = [job for job in self._jobs if not job.done()]
        return len(self._jobs)

    def stop(self) -> None:
        for job in self._jobs:
            job.cancel()
