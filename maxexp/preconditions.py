"""What the stages of a run need, refused before any of them takes time."""

from maxexp.config import Config, Stage
from maxexp.device.integer import IntegerNetwork
from maxexp.errors import ConfigError
from maxexp.network.graph import Network
from maxexp.network.module import NetworkModule
from maxexp.quantization.config import Method, QuantizationConfig
from maxexp.quantization.sensitivity import check_budget


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
    quantization = config.quantization
    if quantization.sensitivity and quantization.weight_budget is not None:
        check_budget(
            quantization.weight_budget, network
        )  # better now than after the network was trained and measured


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
