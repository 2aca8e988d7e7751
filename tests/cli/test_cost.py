"""The command that says what networks cost."""

import json
import os
import subprocess
import sys

import pytest

from maxexp.cli.cost import main
from tests.runs import REPOSITORY


def test_layers_and_totals(capsys):
    assert main(["model=nascifarnet", "dataset=cifar10"]) == 0
    said = capsys.readouterr().out
    for part in ("conv4_2", "128x4x4", "73,728", "228,217", "4,564 us", "301,760 bytes (68.2 %)", "11 of 32"):
        assert part in said


def test_json_has_the_names_of_the_record(capsys):
    assert main(["nascifarnet", "digitsnet", "dataset=cifar10", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert first["totals"]["hw/cycles"] == 228217 == first["totals"]["hw/latency_us"] * 50
    assert sum(layer["weights"] for layer in first["layers"]) == first["totals"]["hw/weight_bytes"]
    assert second["network"] == "digitsnet" and second["fits"]


def test_several_side_by_side(capsys):
    assert main(["nascifarnet", "model=cmsisnnet", "dataset=cifar10"]) == 0
    said = capsys.readouterr().out
    assert "228,217" in said and "94,889" in said and "conv4_2" not in said
    assert main(["nascifarnet", "cmsisnnet", "dataset=cifar10", "--layers"]) == 0
    assert "conv4_2" in capsys.readouterr().out


def test_one_that_does_not_fit(capsys):
    assert main(["nascifarnet", "teacher", "dataset=cifar10"]) == 1
    output = capsys.readouterr()
    assert "does not fit" in output.out and output.err.startswith("maxexp: error: layer pool2:")
    assert main(["model=nascifarnet", "dataset=cifar10", "model.width=2"]) == 1
    output = capsys.readouterr()
    assert not output.out and output.err.count("\n") == 1
    assert main(["model=nascifarnet", "model.width=2", "dataset=cifar10", "--json"]) == 1
    assert not json.loads(capsys.readouterr().out)[0]["fits"]


@pytest.mark.parametrize(
    ("word", "part"), [("modell=x", "modell"), ("nope", "model=nope: no such choice"), ("a=", "a")]
)
def test_wrong_words(capsys, word, part):
    assert main([word]) == 1
    assert part in capsys.readouterr().err


def test_it_takes_less_than_a_second():
    """Of CPU time in all, on any machine that is not ten times slower than ours; and none of the heavy packages."""
    code = (
        "import sys, time\nfrom maxexp.cli.cost import main\n"
        "code = main(['model=nascifarnet', 'dataset=cifar10', 'model.width=0.5'])\n"
        "print(code, [x for x in ('torch', 'mlflow', 'matplotlib', 'hydra') if x in sys.modules])\n"
        "print(time.process_time() < 1)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout.splitlines()[-2:] == ["0 []", "True"], done
