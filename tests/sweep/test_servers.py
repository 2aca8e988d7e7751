"""Studies on a database server, and workers of other engines."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from types import ModuleType

import pytest

from maxexp.sweep.workers import launchers
from maxexp.sweep.workers.results import results
from maxexp.sweep.workers.study import SweepStudy
from tests.sweep.conftest import REPOSITORY, call, environment

FOLDER = REPOSITORY / "experiments" / "sweeper"
TRIALS = 200


@pytest.fixture(scope="module")
def experiment() -> Iterator[ModuleType]:
    """The measurement of throughput, whose folder is no package: server, trivial trials, workers."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(FOLDER)
        import throughput

        yield throughput


@pytest.fixture(scope="module")
def postgresql(experiment) -> Iterator[str]:
    """URL of a database of a server that is started here and ends with the tests."""
    if experiment.postgresql.programs() is None:
        pytest.skip("no PostgreSQL: apt-get install postgresql")
    with experiment.postgresql.server() as url:
        yield url


@pytest.fixture
def finished(experiment, place, monkeypatch):
    """``finished(url, "name", trials=200, engine="processes", workers=4)``: a study once its trials are done."""
    monkeypatch.setattr(launchers, "_work", launchers._work)  # the experiment puts its own there
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))

    def finished(url: str, name: str, trials: int, engine: str, workers: int) -> SweepStudy:
        study = experiment.make_study(url, name, trials)
        experiment.execute(study, engine, workers)
        return study

    return finished


def check(study: SweepStudy, trials: int) -> None:
    """None lost, none doubled, none stuck."""
    found = study.trials()
    assert Counter(t.state.name for t in found if t.user_attrs.get("outcome") != "duplicate") == {"COMPLETE": trials}
    complete = [t for t in found if t.state.name == "COMPLETE"]
    assert len({tuple(t.params.values()) for t in complete}) == trials


@pytest.mark.timeout(1800)
def test_a_small_study_on_postgresql(postgresql, finished):
    check(finished(postgresql, "small", 6, "processes", 2), 6)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("engine", "workers"), [("processes", 1), ("processes", 4), ("ray", 4)])
def test_two_hundred_trivial_trials_on_postgresql(postgresql, finished, experiment, engine, workers, capsys):
    if engine == "ray":
        pytest.importorskip("ray")
    study = finished(postgresql, f"many-{engine}-{workers}", TRIALS, engine, workers)
    check(study, TRIALS)
    figures = experiment.summarize(study)
    with capsys.disabled():
        print(f"\n{workers} {engine}: {figures}")
    assert len({t.user_attrs["worker"]["maxexp.pid"] for t in study.trials()}) == workers
    assert figures["own_s_late"] < 3 * figures["own_s_early"] + 0.1


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_optunas_proxy(place, finished, experiment):
    """A gRPC proxy in front of a database, as for many machines."""
    port = experiment.postgresql.free_port()
    program = (
        "import sys, optuna; from optuna.storages import run_grpc_proxy_server, get_storage\n"
        f"run_grpc_proxy_server(get_storage('sqlite:///{place}/behind.db'), host='127.0.0.1', port={port})"
    )
    server = subprocess.Popen([sys.executable, "-c", program], env=environment())
    try:
        check(finished(f"grpc://127.0.0.1:{port}", "proxied", 20, "processes", 2), 20)
    finally:
        server.terminate()
        server.wait()


def test_the_measurement_writes_its_table(experiment, tmp_path):
    rounds = [{"trials": 200, "trials_per_s": 2.0, "own_s_early": 0.05, "own_s_late": 0.06}]
    faster = [{**rounds[0], "trials_per_s": rate} for rate in (5.0, 3.0, 4.0)]
    lines = experiment.table({"1 process": rounds, "4 processes": faster}).splitlines()
    assert lines[2:] == ["| 1 process | 2.0 | 1.00 | 50 ms | 60 ms |", "| 4 processes | 4.0 | 2.00 | 50 ms | 60 ms |"]
    assert (FOLDER / "README.md").read_text().count("<!-- table -->") == 1


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
