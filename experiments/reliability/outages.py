"""Servers that go away at random moments of runs and sweeps: what is lost, doubled or wrong afterwards.

    python -m experiments.reliability.outages --number 100     (from the checkout's folder; about 20 minutes)

Each outage is of one kind: nobody listens, requests hang, status 500, connections that are cut before or after the
request was heard. It begins with a request drawn at random among all that a run or a sweep makes, and takes the part
of 5 to 90 s that SPEED makes of it; the pauses of maxexp are shortened alike. The server behind is MLflow's own.
Results go to outages.json beside this file, after each run; what is there already is not repeated.
"""

import argparse
import json
import logging
import os
import random
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from mlflow.tracking import MlflowClient

from experiments.reliability.contents import differences, runs_of
from experiments.reliability.origin import origin
from maxexp.base.errors import MaxexpError
from maxexp.run.composition import compose_config
from maxexp.run.execution import new_run
from maxexp.sweep import coordinator
from maxexp.sweep.workers.results import results
from maxexp.sweep.workers.study import SweepStudy
from maxexp.tracking import outbox, patience
from tests.servers.mlflow_app import running
from tests.servers.stand_in import Fault, StandIn
from tests.sweep.conftest import InlineWorkers, planned

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "outages.json"
SPEED = 30.0
"""Seconds of use in one second here."""
SHORTEST_S, LONGEST_S = 5.0, 90.0
RUN = ("trainer.max_epochs=2", "dataset.limit=200", "tracking.system_metrics=false")
TRIALS = 12
SWEEP = ("stages=[synthesize]", "tracking.system_metrics=false")
PER_RUN, PER_SWEEP = 3, 5
"""Outages within one run, and within one sweep."""


@dataclass
class Case:
    """One run or sweep with its outages, and what was wrong at its end."""

    kind: str
    seed: int
    outages: list[dict] = field(default_factory=list)
    requests: int = 0
    wrong: list[str] = field(default_factory=list)


@contextmanager
def shortened() -> Iterator[None]:
    """What takes seconds in use takes SPEED times less."""
    before = {
        (module, name): getattr(module, name)
        for module, name in (
            (outbox, "LEAST_PAUSE_S"),
            (outbox, "LONGEST_PAUSE_S"),
            (patience, "FIRST_PAUSE_S"),
            (patience, "LONGEST_PAUSE_S"),
        )
    }
    for (module, name), seconds in before.items():
        setattr(module, name, seconds / SPEED)
    try:
        yield
    finally:
        for (module, name), seconds in before.items():
            setattr(module, name, seconds)


@contextmanager
def patience_for(seconds: int) -> Iterator[None]:
    """MLflow's clients wait so long for an answer; the machine may be busy with other work."""
    os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(seconds)
    try:
        yield
    finally:
        del os.environ["MLFLOW_HTTP_REQUEST_TIMEOUT"]


def arrange(stand_in: StandIn, case: Case, draw: random.Random, requests: int, count: int) -> None:
    """Have so many outages begin at random ones of so many requests."""
    moments = sorted(draw.sample(range(1, requests + 1), count))
    faults = {moment: draw.choice(list(Fault)) for moment in moments}
    first = stand_in.requests
    lock = threading.Lock()

    def before(number: int) -> None:
        with lock:
            fault = faults.pop(number - first, None)
        if fault is not None:
            seconds = draw.uniform(SHORTEST_S, LONGEST_S)
            case.outages.append({"request": number - first, "fault": fault.name, "seconds": round(seconds, 1)})
            stand_in.fail(fault)
            threading.Timer(seconds / SPEED, stand_in.heal).start()

    stand_in.before = before


def run_once(uri: str, experiment: str, folder: Path) -> None:
    """A training with evaluation and cost; begun again where the server was away before anything had begun."""
    while True:
        config = compose_config([*RUN, f"tracking.uri={uri}", f"tracking.experiment={experiment}"])
        try:
            new_run(config, RUN, folder)
            return
        except MaxexpError as error:
            if "cannot open experiment" not in str(error):
                raise
            time.sleep(0.2)


def sweep_once(uri: str, name: str, folder: Path) -> None:
    """A sweep of TRIALS trials without training; its command is given again until it ends well."""
    objectives = "hydra.sweeper.objectives={hw/latency_us:minimize}"
    storage = f"hydra.sweeper.storage=sqlite:///{folder}/sweeps.db"
    settings = (objectives, storage, f"hydra.sweeper.dir={folder}", f"seed=range(0,{TRIALS})", "+sampler=grid")
    plan = planned(*settings, *SWEEP, f"tracking.uri={uri}", f"tracking.experiment={name}")
    while True:
        try:
            coordinator.Coordinator(plan, name).run()
            return
        except MaxexpError as error:
            if "cannot open experiment" not in str(error):
                raise
            time.sleep(0.2)


def check_run(client: MlflowClient, experiment: str, case: Case, reference: str) -> None:
    """Compare with a run that nothing disturbed."""
    runs = runs_of(client, experiment)
    if len(runs) != 1:
        case.wrong.append(f"{len(runs)} runs")
    (undisturbed,) = runs_of(client, reference)
    for run in runs:
        case.wrong += differences(client, run, undisturbed)


def check_sweep(client: MlflowClient, name: str, case: Case, reference: str, folder: Path) -> None:
    """Compare each trial and the sweep's run with those of a sweep that nothing disturbed."""
    study = SweepStudy.open(f"sqlite:///{folder}/sweeps.db", name)
    outcomes = [result.outcome for result in results(study)]
    if outcomes != ["complete"] * TRIALS:
        case.wrong.append(f"trials {outcomes}")
    runs, undisturbed = (_by_trial(runs_of(client, each)) for each in (name, reference))
    if len(runs_of(client, name)) != TRIALS + 1 or runs.keys() != undisturbed.keys():
        case.wrong.append(f"{len(runs_of(client, name))} runs for trials {sorted(runs)}")
    for trial in runs.keys() & undisturbed.keys():
        case.wrong += [f"trial {trial}: {text}" for text in differences(client, runs[trial], undisturbed[trial])]


def _by_trial(runs: list) -> dict:
    return {run.data.tags.get("sweep.trial", "none"): run for run in runs}


KINDS: dict[str, tuple[Callable, Callable, int]] = {
    "run": (run_once, check_run, PER_RUN),
    "sweep": (sweep_once, check_sweep, PER_SWEEP),
}


def measure(kind: str, seed: int, stand_in: StandIn, server: str, folder: Path, requests: int) -> Case:
    """One run or sweep with outages; without any where ``requests`` is 0."""
    once, check, count = KINDS[kind]
    case, name, before = Case(kind, seed), f"{kind}-{seed}", stand_in.requests
    if requests:
        arrange(stand_in, case, random.Random(seed), requests, count)
    try:
        with patience_for(2):
            once(stand_in.url, name, folder)
    except Exception as error:  # whatever it is, it is what is looked for
        case.wrong.append(f"{type(error).__name__}: {error}")
    stand_in.before = lambda number: None
    time.sleep(LONGEST_S / SPEED if case.outages else 0)
    case.requests = stand_in.requests - before
    if requests:
        further = (folder,) if kind == "sweep" else ()
        with patience_for(60):
            check(MlflowClient(server), name, case, f"{kind}-0", *further)
    left = [path.name for path in Path.cwd().glob("maxexp-unsent-*")]
    case.wrong += [f"unsent {name}" for name in left]
    return case


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100, help="outages (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first run (%(default)s)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="file of the results (%(default)s)")
    arguments = parser.parse_args()
    done = json.loads(arguments.output.read_text())["cases"] if arguments.output.exists() else []
    cases = list(done)
    coordinator.make_launcher = InlineWorkers
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    with (
        tempfile.TemporaryDirectory() as place,
        running(Path(place) / "server") as server,
        StandIn(server) as stand_in,
        shortened(),
    ):
        os.chdir(place)
        requests = {kind: measure(kind, 0, stand_in, server, Path(place), 0).requests for kind in KINDS}
        print(f"requests without outages: {requests}", flush=True)
        seed = max((case["seed"] + 1 for case in cases), default=arguments.seed)
        while sum(len(case["outages"]) for case in cases) < arguments.number:
            kind = "sweep" if seed % 3 == 0 else "run"
            case = measure(kind, seed, stand_in, server, Path(place), requests[kind])
            print(f"{kind} {seed}: {case.outages}, wrong: {case.wrong or 'nothing'}", flush=True)
            cases.append(asdict(case))
            content = {**origin("experiments.reliability.outages"), "speed": SPEED, "cases": cases}
            arguments.output.write_text(json.dumps(content, indent=1) + "\n")
            seed += 1


if __name__ == "__main__":
    main()
