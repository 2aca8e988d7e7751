"""How many trials per second a study takes, and what the sweep itself costs per trial.

    python experiments/sweeper/throughput.py            (5 minutes; needs PostgreSQL and Ray)
    python experiments/sweeper/throughput.py --quick    (few trials: whether it runs, not how fast)

Trials are trivial (the cost of an untrained network), so all time is the sweep's own. Contestants run by turns, each
on a study of its own in one PostgreSQL. Writes results.json and the table of README.md beside this file.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import postgresql
import trivial_worker
from omegaconf import OmegaConf

from maxexp.run.composition import conf_dir
from maxexp.sweep.planning import make_plan
from maxexp.sweep.workers import launchers
from maxexp.sweep.workers.attributes import OVERHEAD
from maxexp.sweep.workers.study import SweepStudy
from maxexp.sweep.workers.tickets import Tickets
from maxexp.tracking.provenance import provenance

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
TABLE = re.compile(r"(?<=<!-- table -->\n).*(?=<!-- end -->)", re.S)
TICK_S = 0.1
TIMEOUT_S = 600
SPAN = 50
"""Trials whose median the sweep's own time is, early and late in a study."""


@dataclass(frozen=True)
class Contestant:
    """A way to work on a study."""

    name: str
    engine: str
    workers: int
    sampler: str = "random"


CONTESTANTS = (
    Contestant("1 process", "processes", 1),
    Contestant("4 processes", "processes", 4),
    Contestant("4 workers of Ray", "ray", 4),
    Contestant("1 process, sampler=tpe", "processes", 1, "tpe"),
)


def make_study(url: str, name: str, trials: int, sampler: str = "random") -> SweepStudy:
    """A study of trivial trials with two objectives."""
    settings = {
        "storage": url,
        "trials": trials,
        "objectives": {"hw/latency_us": "minimize", "hw/macs_per_cycle": "maximize"},
        "sampler": OmegaConf.load(f"{conf_dir()}/sampler/{sampler}.yaml"),
    }
    space = ["model.width=interval(0.1,1)", "model.layers.conv1.out_channels=range(4,65,4)", "stages=[synthesize]"]
    plan = make_plan(settings, [*space, "tracking.system_metrics=false"])
    return SweepStudy.create(url, name, plan)


@contextmanager
def processes(study: SweepStudy, count: int) -> Iterator[Callable[[], int]]:
    """Worker processes; yields how many live. They end by themselves when the study is over."""
    command = [sys.executable, str(HERE / "trivial_worker.py"), study.url, study.name]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    started = [subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield lambda: sum(process.poll() is None for process in started)
        for process in started:
            process.wait(TIMEOUT_S)
    finally:
        for process in started:
            process.kill()
            process.wait()


@contextmanager
def ray(study: SweepStudy, count: int) -> Iterator[Callable[[], int]]:
    """Workers of Ray, through maxexp's own launcher; yields how many live."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), str(HERE)])
    launchers._work = trivial_worker.launched
    workers = launchers.RayLauncher(launchers.Work(study.url, study.name, 1, study.plan, HERE), {"num_cpus": count})
    try:
        workers.start(count)
        yield workers.alive
    finally:
        workers.stop()


ENGINES = {"processes": processes, "ray": ray}


def execute(study: SweepStudy, engine: str, workers: int) -> None:
    """Have a study finished; this process keeps the tickets."""
    with ENGINES[engine](study, workers) as alive:
        tickets = Tickets(study)
        while not study.over():
            tickets.update()
            assert alive(), "all workers have ended before the study"
            time.sleep(TICK_S)


def summarize(study: SweepStudy) -> dict[str, float]:
    """Throughput from the first to the last end of a trial, and the sweep's own time early and late."""
    trials = study.trials()
    ended = sorted(t.datetime_complete for t in trials if t.datetime_complete)
    own = [t.user_attrs[OVERHEAD] for t in trials if OVERHEAD in t.user_attrs]
    span = min(SPAN, len(own) // 3)
    return {
        "trials": len(ended),
        "trials_per_s": (len(ended) - 1) / (ended[-1] - ended[0]).total_seconds(),
        "own_s_early": statistics.median(own[span // 5 :][:span]),
        "own_s_late": statistics.median(own[-span:]),
    }


def table(results: dict[str, list[dict[str, float]]]) -> str:
    """Markdown: medians over the rounds, ratios to the first contestant."""
    trials = next(iter(results.values()))[0]["trials"]
    rows = [
        f"| {trials:.0f} trials | trials/s | ratio | own time per trial, early | late |",
        "|--|--:|--:|--:|--:|",
    ]
    base = None
    for name, rounds in results.items():
        rate, early, late = (
            statistics.median(r[key] for r in rounds) for key in ("trials_per_s", "own_s_early", "own_s_late")
        )
        base = base or rate
        rows.append(f"| {name} | {rate:.1f} | {rate / base:.2f} | {1000 * early:.0f} ms | {1000 * late:.0f} ms |")
    return "\n".join(rows)


def origin() -> dict:
    """Command, date, machine and versions."""
    known = provenance()
    keys = ("cpu", "python", "version.optuna", "maxexp.version", "mlflow.source.git.commit")
    return {
        "command": " ".join(["python", "experiments/sweeper/throughput.py", *sys.argv[1:]]),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores_used": len(os.sched_getaffinity(0)),
        "load_average_before": os.getloadavg()[0],
        **{key: known[key] for key in keys if key in known},
    }


def text(content: dict) -> str:
    """What stands in the README."""
    return (
        f"{table(content['results'])}\n\nMade on {content['date'][:10]} by `{content['command']}` on "
        f"{content['cores_used']} core(s) of {content['cpu']}, load before {content['load_average_before']:.1f}, "
        f"optuna {content['version.optuna']}, commit {content.get('mlflow.source.git.commit', 'unknown')[:8]}.\n"
    )


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few trials")
    parser.add_argument("--rounds", type=int, default=2, help="turns of each contestant (%(default)s)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of the results")
    arguments = parser.parse_args()
    trials, rounds = (12, 1) if arguments.quick else (200, arguments.rounds)
    content = {**origin(), "results": {contestant.name: [] for contestant in CONTESTANTS}}
    with postgresql.server() as url:
        for turn in range(rounds):
            for number, contestant in enumerate(CONTESTANTS):
                study = make_study(url, f"study-{turn}-{number}", trials, contestant.sampler)
                execute(study, contestant.engine, contestant.workers)
                content["results"][contestant.name].append(summarize(study))
                print(contestant.name, content["results"][contestant.name][-1], flush=True)
    arguments.output.mkdir(parents=True, exist_ok=True)
    (arguments.output / "results.json").write_text(json.dumps(content, indent=2) + "\n")
    readme = TABLE.sub(lambda _: text(content), (HERE / "README.md").read_text())
    (arguments.output / "README.md").write_text(readme)


if __name__ == "__main__":
    main()
