"""What is decided of a run before it runs, once."""

from types import SimpleNamespace

import pytest

import maxexp.chip.check
from maxexp.base.errors import ConfigError, DeviceError
from maxexp.quantization.config import Method
from maxexp.run.networks import Floating, Form, Integer, Quantized, RunNetwork, Untrained
from maxexp.run.spec import describe
from tests.conftest import composed

FEW_BITS = {"conv1": 8, "conv2": 4, "fc": 4}
STARTS: dict[Form, RunNetwork] = {
    Form.untrained: Untrained(),
    Form.floating: Floating(None),
    Form.quantized: Quantized(None, SimpleNamespace(bits=FEW_BITS)),
    Form.integer: Integer(SimpleNamespace(bits=FEW_BITS)),
}


@pytest.mark.parametrize(
    ("start", "overrides", "method"),
    [
        (Form.untrained, ["quantization=ptq"], Method.ptq),
        (Form.untrained, ["quantization=float"], Method.float),
        (Form.floating, ["quantization=qat"], Method.qat),
        (Form.floating, ["quantization=ptq", "stages=[quantize,evaluate]"], Method.ptq),
        (Form.floating, ["quantization=ptq", "stages=[evaluate]"], Method.float),
        (Form.quantized, ["quantization=ptq", "stages=[evaluate]"], Method.qat),
        (Form.quantized, ["quantization=qat"], Method.qat),
        (Form.integer, ["quantization=ptq", "stages=[evaluate]"], Method.ptq),
    ],
)
def test_a_checkpoint_may_settle_how_a_network_is_quantized(start, overrides, method):
    spec = describe(composed(*overrides), start=STARTS[start])
    assert (spec.start, spec.method) == (start, method)
    assert (spec.fit is None) == (method is Method.float)


@pytest.mark.parametrize("start", [Form.quantized, Form.integer])
def test_bits_are_those_of_the_checkpoint_unless_it_is_trained(start):
    stays, trained = (describe(composed(stages), start=STARTS[start]) for stages in ("stages=[evaluate]", "seed=1"))
    assert stays.bits == FEW_BITS and trained.bits == dict.fromkeys(FEW_BITS, 8)
    assert stays.fit.weight_bytes < trained.fit.weight_bytes


def test_a_network_that_does_not_fit_has_no_spec():
    with pytest.raises(DeviceError, match="over the 442,368"):
        describe(composed("model.width=16"))
    assert describe(composed("model.width=16", "quantization=float")).fit is None
    with pytest.raises(ConfigError, match="no such layer"):
        describe(composed("quantization.layer_bits={conv9:4}", "quantization=float"))


@pytest.fixture
def placements(monkeypatch) -> list[str]:
    """Names of the networks that a place in memory was looked for."""
    found, place = [], maxexp.chip.check.place

    def counting(sequence, *arguments):
        found.append(sequence.name)
        return place(sequence, *arguments)

    monkeypatch.setattr(maxexp.chip.check, "place", counting)
    return found


def test_the_memory_layout_of_a_run_is_looked_for_once(run_here, placements):
    run_here("stages=[synthesize]")
    assert placements == ["digitsnet"]


def test_what_is_known_of_another_start_is_not_looked_for_again(placements):
    config = composed("stages=[evaluate]")
    known = describe(config)
    assert describe(config, known.network, Integer(SimpleNamespace(bits=known.bits)), known).fit is known.fit
    assert describe(config, known.network, STARTS[Form.integer], known).fit is not known.fit
    assert len(placements) == 2
