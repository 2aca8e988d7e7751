"""The network that a run begins with."""

from __future__ import annotations

from maxexp.network.graph import Network
from maxexp.run.checkpoints import locate_checkpoint
from maxexp.run.context import RunContext
from maxexp.run.networks import Floating, Integer, Quantized, RunNetwork, Untrained
from maxexp.schema.config import Config, Stage


def starting_network(config: Config, network: Network, context: RunContext) -> RunNetwork:
    """Returns what the checkpoint of a configuration holds; an untrained network where there is none.

    Raises:
        CheckpointError: there is no such checkpoint, or it is of another network.
        TrackingError: it is of a run that the store does not have.
    """
    if not config.checkpoint:
        return Untrained()
    # Only here: torch takes longer to import than all that a run without checkpoint needs.
    from maxexp.quantization.files.checkpoint import Kind, read_checkpoint, to_integer_network, to_module
    from maxexp.quantization.files.export import to_integer

    to_run = not {Stage.train, Stage.quantize} & set(config.stages)
    checkpoint = read_checkpoint(locate_checkpoint(config.checkpoint, context.read_run, to_run))
    if checkpoint.kind is Kind.integer:
        return Integer(to_integer_network(checkpoint, network))
    module = to_module(checkpoint, network).to(context.device)
    return Floating(module) if checkpoint.kind is Kind.float else Quantized(module, to_integer(module))
