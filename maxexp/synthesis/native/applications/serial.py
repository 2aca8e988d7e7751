"""Inputs over the serial line: for boards without a camera, and for tests of what a board does."""

from pathlib import Path

from maxexp.network.graph import Network
from maxexp.synthesis.native.application import Application


class SerialApplication(Application):
    """Takes any network."""

    files = Path(__file__).parent / "serial_files"

    def refusal(self, network: Network) -> str | None:
        return None


APPLICATION = SerialApplication()
