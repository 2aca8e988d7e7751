"""The stages of a run: which may run, and why not; told at once, without input or output."""

import subprocess
import sys

import pytest

from maxexp.base.errors import BoardError, ConfigError, DataError
from maxexp.run.networks import Floating, Form, Quantized, Untrained
from maxexp.run.pipeline import _collect_errors
from maxexp.run.spec import describe
from maxexp.run.stages.base import stage_class
from maxexp.run.stages.plan import NOT_CHOSEN, planned_stages, read_parts, refusals
from maxexp.schema.config import Stage
from maxexp.tracking.metrics import METRICS
from tests.conftest import composed
from tests.run.test_spec import STARTS

FLOAT = "quantization=float"


def test_each_stage_is_the_class_of_the_file_of_its_name():
    kinds = [stage_class(stage) for stage in Stage]
    assert [kind.stage for kind in kinds] == list(Stage)
    written = [metric.key for kind in kinds for metric in kind.metrics()]
    assert sorted(written) == sorted(METRICS)
    assert set(read_parts(list(Stage))) == {"train", "validation", "test"}
    assert read_parts([Stage.synthesize, Stage.deploy]) == []


@pytest.mark.parametrize(
    ("start", "overrides", "quantize", "evaluate"),
    [
        (Form.untrained, ["quantization=qat"], Form.quantized, Form.quantized),
        (Form.untrained, ["quantization=ptq"], Form.floating, Form.quantized),
        (Form.untrained, ["quantization=float"], Form.floating, Form.floating),
        (Form.integer, ["stages=[evaluate]"], Form.integer, Form.integer),
        (Form.floating, ["stages=[quantize]", "quantization=ptq"], Form.floating, Form.quantized),
    ],
)
def test_each_stage_knows_what_it_will_get(start, overrides, quantize, evaluate):
    plan = planned_stages(describe(composed(*overrides), start=STARTS[start]))
    forms = {planned.kind.stage: planned.input_form for planned in plan}
    assert [forms[stage] for stage in (Stage.train, Stage.quantize, Stage.evaluate)] == [start, quantize, evaluate]


@pytest.mark.parametrize(
    ("start", "overrides", "stage", "reason"),
    [
        (Form.untrained, [], Stage.deploy, "board=none"),
        (Form.untrained, [FLOAT], Stage.quantize, FLOAT),
        (Form.untrained, [FLOAT, "board=emulated"], Stage.deploy, FLOAT),
        (Form.integer, ["stages=[quantize]"], Stage.quantize, "the checkpoint holds integers already"),
        (Form.untrained, ["stages=[synthesize]"], Stage.evaluate, NOT_CHOSEN),
        (Form.untrained, ["stages=[synthesize]"], Stage.synthesize, None),
    ],
)
def test_a_stage_is_skipped_where_it_has_nothing_to_do(start, overrides, stage, reason):
    plan = planned_stages(describe(composed(*overrides), start=STARTS[start]))
    assert [planned.skipped for planned in plan if planned.kind.stage is stage] == [reason]


def test_a_run_without_contradictions_is_not_refused():
    for overrides in ([], ["quantization=ptq"], ["quantization=float"], ["stages=[synthesize]"], ["stages=[train]"]):
        assert refusals(describe(composed(*overrides))) == []


def test_all_contradictions_are_found_each_once():
    untrained = refusals(describe(composed("stages=[quantize,evaluate]")))
    assert untrained == ["stages: quantize and evaluate need a trained network; add train, or give checkpoint=PATH"]
    overrides = ["stages=[train,deploy]", "quantization=ptq", "quantization.sensitivity=true", "board=emulated"]
    found = refusals(describe(composed(*overrides)))
    for part in (
        "is measured by the stage quantize",
        "quantizes in stage quantize; add it",
        "add synthesize to stages",
    ):
        assert sum(part in text for text in found) == 1
    assert len(found) == 3


def test_a_quantized_start_says_what_it_cannot_be():
    for start, overrides, part in (
        (Form.integer, [], "cannot be trained"),
        (Form.quantized, ["quantization=ptq"], "choose quantization=qat"),
        (Form.quantized, ["quantization.start_epoch=2"], "quantized already"),
        (Form.quantized, ["stages=[evaluate]", "quantization.weight_bits=2"], "2 bits for conv1"),
    ):
        (told,) = refusals(describe(composed(*overrides), start=STARTS[start]))
        assert part in told


def test_only_a_floating_network_is_quantized_with_training_images():
    quantize = stage_class(Stage.quantize)
    assert [quantize.needed_parts(form) for form in (Form.floating, Form.quantized)] == [quantize.reads, ()]


def test_all_that_is_missing_is_told_at_once():
    def lacks(error):
        def work():
            raise error

        return work

    done = []
    with pytest.raises(BoardError, match="no compiler"):
        _collect_errors([lacks(BoardError("no compiler")), lambda: done.append(1)])
    with pytest.raises(ConfigError, match="no compiler; also: no data"):
        _collect_errors([lacks(BoardError("no compiler")), lacks(DataError("no data")), lambda: done.append(2)])
    assert done == [1, 2]


def test_networks_have_integers_only_where_they_are_quantized():
    assert Untrained().integer is None and Floating(None).integer is None
    integer = object()
    assert Quantized(None, integer).integer is integer


CHECK = """
import sys
from maxexp.run.composition import compose_config
from maxexp.run.spec import describe
from maxexp.run.stages.plan import refusals
for overrides in ([], ["quantization=ptq"], ["board=emulated"], ["recipe=distill", "dataset=cifar10"]):
    refusals(describe(compose_config(overrides)))
print([name for name in ("torch", "mlflow", "pytorch_lightning", "matplotlib") if name in sys.modules])
"""


def test_to_check_a_run_needs_no_large_library(tmp_path):
    done = subprocess.run([sys.executable, "-c", CHECK], capture_output=True, text=True, cwd=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
