"""Studies on a database server, and workers of other engines."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from maxexp.sweep import launchers
from maxexp.sweep.results import results
from maxexp.sweep.study import SweepStudy
from maxexp.sweep.tickets import Tickets
from maxexp.sweep.worker import OVERHEAD
from tests.sweep import trivial
from tests.sweep.conftest import COST_ONLY, REPOSITORY, call, environment, planned

OBJECTIVES = "hydra.sweeper.objectives={hw/latency_us:minimize,hw/macs_per_cycle:maximize}"
TRIALS = 200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def postgres_folder() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    return found[0] if found else Path(on_path).parent if on_path else None


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory) -> Iterator[str]:
    """URL of a database of a server that is started here and ends with the tests."""
    programs = postgres_folder()
    if programs is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    folder = tmp_path_factory.mktemp("postgresql")
    # The server refuses to run as root; the package has made a user for it.
    root = os.getuid() == 0
    user = "postgres" if root else pwd.getpwuid(os.getuid()).pw_name
    if root:
        for path in (folder, *list(folder.parents)[:3]):
            if path != Path("/tmp"):
                path.chmod(0o755)
        shutil.chown(folder, "postgres")
    prefix = ["runuser", "-u", "postgres", "--"] if root else []
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*prefix, str(programs / program), *arguments]
        subprocess.run(command, check=True, capture_output=True, cwd="/", timeout=300)

    data = str(folder / "data")
    run("initdb", "-D", data, "-A", "trust", "-U", user)
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    run("pg_ctl", "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "-t", "200", "start")
    try:
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", user, "studies")
        yield f"postgresql+psycopg://{user}@127.0.0.1:{port}/studies"
    finally:
        run("pg_ctl", "-D", data, "-m", "immediate", "stop")


def make_study(url: str, name: str, trials: int) -> SweepStudy:
    arguments = ("+sampler=random", OBJECTIVES, "model.width=interval(0.1,1)", *COST_ONLY)
    plan = planned(f"hydra.sweeper.trials={trials}", f"hydra.sweeper.storage={url}", *arguments)
    return SweepStudy.create(url, name, plan)


def carry_out(study: SweepStudy, workers: int) -> list[subprocess.Popen]:
    """Let worker processes finish a study whose trials are trivial; this process keeps the tickets."""
    command = [sys.executable, "-m", "tests.sweep.trivial", study.url, study.name]
    processes = [
        subprocess.Popen(command, env=environment(), cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    tickets = Tickets(study)
    while not study.over():
        tickets.tend()
        assert any(p.poll() is None for p in processes), "all workers have ended"
        time.sleep(0.1)
    return processes


def check(study: SweepStudy, trials: int) -> None:
    """None lost, none doubled, none stuck."""
    found = study.trials()
    assert Counter(t.state.name for t in found if t.user_attrs.get("outcome") != "duplicate") == {"COMPLETE": trials}
    complete = [t for t in found if t.state.name == "COMPLETE"]
    assert len({tuple(t.params.values()) for t in complete}) == trials


@pytest.mark.timeout(1800)
def test_a_small_study_on_postgresql(postgresql, place):
    study = make_study(postgresql, "small", 6)
    for process in carry_out(study, 2):
        process.communicate(timeout=600)
    check(study, 6)


def report(study: SweepStudy, what: str, capsys) -> None:
    """Throughput, and the sweep's own time, which does not grow with the number of finished trials."""
    trials = study.trials()
    ended = sorted(t.datetime_complete for t in trials if t.datetime_complete)
    rate = (len(ended) - 1) / (ended[-1] - ended[0]).total_seconds()
    overhead = [t.user_attrs[OVERHEAD] for t in trials if OVERHEAD in t.user_attrs]
    first, last = sorted(overhead[10:60])[25], sorted(overhead[-50:])[25]
    with capsys.disabled():
        print(f"\n{what}: {rate:.1f} trials/s; own time per trial {first:.3f} s, at last {last:.3f} s")
    assert last < 3 * first + 0.1


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("workers", [1, 4])
def test_two_hundred_trivial_trials_on_postgresql(postgresql, place, workers, capsys):
    study = make_study(postgresql, f"many{workers}", TRIALS)
    done = [process.communicate(timeout=600)[0].split() for process in carry_out(study, workers)]
    check(study, TRIALS)
    assert sum(int(count) for count, _ in done) == TRIALS
    report(study, f"{workers} processes", capsys)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_two_hundred_trivial_trials_with_ray(postgresql, place, monkeypatch, capsys):
    pytest.importorskip("ray")
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))
    monkeypatch.setattr(launchers, "_work", trivial.work)
    study = make_study(postgresql, "ray", TRIALS)
    workers = launchers.RayWorkers({"num_cpus": 4}, (study.url, study.name, 1), place)
    try:
        workers.start(4)
        tickets = Tickets(study)
        while not study.over():
            tickets.tend()
            assert workers.alive()
            time.sleep(0.1)
    finally:
        workers.stop()
    check(study, TRIALS)
    report(study, "4 workers of Ray", capsys)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_optunas_proxy(place):
    """A gRPC proxy in front of a database, as for many machines."""
    port = free_port()
    program = (
        "import sys, optuna; from optuna.storages import run_grpc_proxy_server, get_storage\n"
        f"run_grpc_proxy_server(get_storage('sqlite:///{place}/behind.db'), host='127.0.0.1', port={port})"
    )
    server = subprocess.Popen([sys.executable, "-c", program], env=environment())
    try:
        study = make_study(f"grpc://127.0.0.1:{port}", "proxied", 20)
        for process in carry_out(study, 2):
            process.communicate(timeout=600)
        check(study, 20)
    finally:
        server.terminate()
        server.wait()


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(
    ("engine", "options"),
    [("joblib", ()), ("ray", ()), ("submitit", ("hydra.sweeper.launcher.options.cluster=local",))],
)
def test_other_engines(engine, options, tmp_path):
    pytest.importorskip(engine)
    preset = ("+sweep=smoke", f"launcher={engine}", *options, "sampler=grid", "hydra.sweeper.study=study")
    space = ("model.layers.conv1.out_channels=4,8", "model.layers.conv2.out_channels=8", "quantization.weight_bits=8")
    without = "hydra.sweeper.objectives={val/best_accuracy:null}"
    done = call(*preset, *space, without, "stages=[synthesize]", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    study = SweepStudy.open(f"sqlite:///{tmp_path}/mlruns/sweeps.db", "study")
    assert [r.outcome for r in results(study)] == ["complete"] * 4
