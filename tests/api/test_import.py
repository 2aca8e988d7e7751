"""``import maxexp`` as a user's program does it: at once, and with the same names whatever was imported before."""

import os
import subprocess
import sys

import maxexp
from tests.runs import REPOSITORY

HEAVY = ("torch", "hydra", "mlflow", "matplotlib", "pytorch_lightning")


def python(code: str) -> str:
    """What a fresh Python prints for some lines of code."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_import_takes_no_time():
    code = "import time; began = time.process_time(); import maxexp; print(time.process_time() - began)"
    assert min(float(python(code)) for _ in range(3)) < 0.1


def test_a_cost_needs_none_of_the_heavy_packages():
    """Under a second of CPU time, the start of Python included."""
    code = (
        "import sys, time, maxexp\n"
        "net = maxexp.network('nascifarnet', dataset='cifar10', width=0.5)\n"
        "cost = net.cost()\n"
        f"print(cost.cycles, [name for name in {HEAVY} if name in sys.modules], time.process_time() < 1)"
    )
    assert python(code) == "113981 [] True"


def test_network_is_the_function_whatever_was_imported():
    code = (
        "import maxexp\nimport maxexp.network.graph\nfrom maxexp.network.config import Pool\n"
        "import maxexp.run.composition\n"
        "print(callable(maxexp.network), maxexp.network('digitsnet', dataset='digits').name)"
    )
    assert python(code) == "True digitsnet"


def test_all_public_names_are_there_and_described():
    for name in maxexp.__all__:
        assert getattr(maxexp, name).__doc__
    assert set(maxexp.__all__) <= set(dir(maxexp))
