"""Refusals of firmware that ``board.application`` asks for and a run cannot write."""

from __future__ import annotations

from maxexp.board.config import Application, BoardKind
from maxexp.board.firmware import find_sdk
from maxexp.run.networks import Form
from maxexp.run.spec import RunSpec
from maxexp.schema.config import Stage
from maxexp.synthesis.config import SynthesisMethod


def application_refusal(spec: RunSpec, network: Form) -> str | None:
    """Returns why the application cannot be written; None where it can, or where none is wanted.

    Args:
        network: what there is when the stage begins.
    """
    config = spec.config
    application = config.board.application
    if application is Application.none:
        return None
    key = f"board.application={application.name}"
    if config.synthesis.method is not SynthesisMethod.native:
        return f"{key}: our own synthesizer writes it; set synthesis=native"
    if config.device.part.toolchain is None:
        return f"{key}: no firmware is written for {config.device.name}; choose device=max78000"
    if network is Form.untrained:
        return f"{key}: says what a trained network sees; add train to stages, or give checkpoint=zoo:NAME or a file"
    from maxexp.synthesis.native.applications import applications

    refused = applications()[application.name].refusal(spec.network)
    if refused:
        return f"{key}: {refused}"
    real = config.board.kind not in (BoardKind.none, BoardKind.emulated)
    if application is Application.camera and real and spec.runs(Stage.deploy) and find_sdk() is None:
        return (
            f"{key}: the camera's driver is part of the maker's SDK; set MAXIM_PATH to its folder, or leave deploy "
            "out of stages and build the project elsewhere"
        )
    return None
