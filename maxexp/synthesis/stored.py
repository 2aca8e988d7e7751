"""The part of a network that firmware stores, and the name of its folder."""

import re
from dataclasses import replace

from maxexp.chip.check import Fit
from maxexp.chip.config import DeviceConfig
from maxexp.chip.cost import Cost, network_cost
from maxexp.chip.numbers.integer import IntegerNetwork
from maxexp.network.graph import Network


def stored_cost(integer: IntegerNetwork, device: DeviceConfig, fit: Fit | None) -> Cost:
    """Returns the cost and memory map of what is stored.

    Args:
        fit: of the whole network, where that is known.

    Raises:
        DeviceError: the network does not fit.
    """
    network = without_zero_biases(integer)
    # Biases that are left out make room.
    return network_cost(network, integer.bits, device, fit if network == integer.network else None)


def without_zero_biases(integer: IntegerNetwork) -> Network:
    """The network that is stored: biases that are all zero are left out, by the maker's synthesizer as by ours."""
    layers = tuple(
        replace(entry.layer, bias=False) if entry.bias is not None and not bool(entry.bias.any()) else entry.layer
        for entry in integer.layers
    )
    return replace(integer.network, layers=layers)


def project_name(network: str) -> str:
    """The network's name as a folder and as a project of make."""
    return re.sub(r"\W+", "-", network, flags=re.ASCII).strip("-") or "network"
