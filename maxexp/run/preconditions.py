"""What the stages of a run need, refused before any of them takes time."""

from maxexp.base.errors import ConfigError
from maxexp.board.config import BoardKind
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.methods.sensitivity import check_budget
from maxexp.schema.config import Config, Stage
from maxexp.synthesis.config import SynthesisMethod
from maxexp.tracking.artifacts import FLOAT_BEST


def check_stages(
    config: Config, network: Network, floating: NetworkModule | None, integer: IntegerNetwork | None, trainable: bool
) -> None:
    """Check the stages of a configuration against the network that it begins with.

    Args:
        floating: what the checkpoint holds, if that is a floating-point network.
        integer: what it holds, if that is a quantized one.
        trainable: whether it holds the weights, too, that the integers come from.

    Raises:
        ConfigError: a stage lacks its input, or would ignore what was asked for.
    """
    if integer is not None:
        _check_quantized_start(config, integer, trainable)
    stages, method = config.stages, config.quantization.method
    has_network = Stage.train in stages or floating is not None or integer is not None
    if not has_network and (Stage.quantize in stages or Stage.evaluate in stages):
        raise ConfigError("stages: quantize and evaluate need a trained network; add train, or give checkpoint=PATH")
    if Stage.quantize in stages:
        if floating and Stage.train not in stages and method is Method.qat:
            raise ConfigError(
                f"quantization=qat: checkpoint={config.checkpoint} is a floating-point network; add train to "
                "stages to train it quantization-aware, or choose quantization=ptq"
            )
    elif Stage.train in stages and method is Method.ptq and set(stages) != {Stage.train}:
        raise ConfigError(
            "stages: quantization=ptq trains in floating point and quantizes in the stage quantize; add it"
        )
    if floating is not None and not {Stage.train, Stage.quantize} & set(stages):
        _check_stays_floating(config)
    if config.quantization.sensitivity:
        _check_sensitivity(config, network, measurable=floating is not None or Stage.train in stages)


def _check_stays_floating(config: Config) -> None:
    """A floating-point network has neither firmware nor a place on a board; it must not look as if it had."""
    synthesized = config.synthesis.method is SynthesisMethod.ai8x and Stage.synthesize in config.stages
    deployed = config.board.kind is not BoardKind.none and Stage.deploy in config.stages
    if config.quantization.method is not Method.float and (synthesized or deployed):
        raise ConfigError(
            f"checkpoint={config.checkpoint} is a floating-point network, which the chip cannot run; add quantize to "
            "stages, with quantization=ptq, or give the quantized checkpoint"
        )


def _check_sensitivity(config: Config, network: Network, measurable: bool) -> None:
    if Stage.quantize not in config.stages or not measurable:
        raise ConfigError(
            "quantization.sensitivity=true: is measured by the stage quantize, on a floating-point network; give one "
            f"as checkpoint, such as run:RUN_ID/{FLOAT_BEST}, or leave sensitivity out"
        )
    if config.quantization.weight_budget is not None:
        # Better now than after the network was trained and measured.
        check_budget(config.quantization.weight_budget, network)


def _check_quantized_start(config: Config, integer: IntegerNetwork, trainable: bool) -> None:
    method, trains = config.quantization.method, Stage.train in config.stages
    if trains and not trainable:
        raise ConfigError(
            f"checkpoint={config.checkpoint} holds integers, which cannot be trained; leave train out of "
            "stages, or give the checkpoint it was quantized from"
        )
    if method is not Method.qat and (trains or method is Method.float):
        raise ConfigError(
            f"quantization={method.name}: checkpoint={config.checkpoint} is a quantized network; choose "
            "quantization=qat, or give a floating-point checkpoint"
        )
    if not trains:
        _check_bits(config, integer)
    elif config.quantization.start_epoch:
        raise ConfigError(
            f"quantization.start_epoch={config.quantization.start_epoch}: checkpoint={config.checkpoint} is "
            "quantized already, so every epoch is quantization-aware; leave it out, or begin with the "
            "floating-point network"
        )


def _check_bits(config: Config, integer: IntegerNetwork) -> None:
    """A quantized network keeps its bits; others that were asked for would be ignored."""
    quantization = config.quantization
    asked = quantization.bits(integer.network)
    different = sorted(name for name, bits in asked.items() if bits != integer.bits[name])
    if different and (quantization.layer_bits or quantization.weight_bits != QuantizationConfig.weight_bits):
        name = different[0]
        raise ConfigError(
            f"quantization: {asked[name]} bits for {name}, but checkpoint={config.checkpoint} is quantized with "
            f"{integer.bits[name]}; leave the bits out, or begin with the floating-point network"
        )
