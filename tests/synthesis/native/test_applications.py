"""Firmware that takes inputs again and again: what the network gets is what maxexp.camera and training make."""

import ctypes
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from maxexp.base.errors import BoardError
from maxexp.board.application import class_of, wait_for, wait_for_result
from maxexp.board.emulator.run import EmulatedLine
from maxexp.board.firmware import build_firmware
from maxexp.camera.application_input import read_input_form
from maxexp.camera.picture import to_pixels
from maxexp.chip.config import DeviceConfig
from maxexp.chip.parts.max78000 import PART as MAX78000
from maxexp.cli.board import main
from maxexp.data.augmentation.config import InputMapping
from maxexp.data.augmentation.pixels import map_pixels
from maxexp.data.config import Resize
from maxexp.synthesis.native.application import Pictures, write_application
from maxexp.synthesis.native.applications import applications
from maxexp.synthesis.native.applications.camera import frame_size
from maxexp.synthesis.native.applications.serial import request
from maxexp.synthesis.native.resample import PRECISION, spans
from maxexp.synthesis.native.synthesizer import synthesize
from maxexp.synthesis.stand_in import random_image, random_integers

DEVICE = DeviceConfig("max78000", 50.0)
LAYERS = {"conv": {"out_channels": 6, "pool": "max"}, "fc": {"op": "linear", "out_features": 3, "wide": True}}
MAP = {"conv": {"out_channels": 3}}
USUAL = Pictures(Resize.squash, InputMapping.p128)
NAMES = ["cat", "dog", "no animal"]


def write(folder, network, name: str, pictures=USUAL, classes=NAMES):
    """The project of an application, and the integer network in it."""
    integer = random_integers(network, {}, 3)
    synthesis = synthesize(integer, DEVICE, random_image(network.in_shape, 0), classes, folder)
    return write_application(name, applications()[name], synthesis, classes, pictures), integer


def started(project, name: str) -> EmulatedLine:
    firmware = build_firmware(project, project.parent / "build", MAX78000)
    line = EmulatedLine(firmware.image, MAX78000)
    wait_for(line, applications()[name].ready)
    return line


def colours(shape: tuple[int, ...], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


@pytest.mark.parametrize(
    ("given", "wanted"), [(160, 32), (120, 32), (120, 28), (320, 90), (240, 77), (160, 159), (120, 120), (7, 20)]
)
def test_lines_are_resized_as_pillow_does_it(given, wanted):
    line = colours((1, given), given)
    expected = np.asarray(Image.fromarray(line).resize((wanted, 1), Image.Resampling.BILINEAR))[0]
    half = 1 << (PRECISION - 1)
    found = [
        (sum(w * int(line[0, span.first + i]) for i, w in enumerate(span.weights)) + half) >> PRECISION
        for span in spans(given, wanted)
    ]
    assert found == expected.tolist()


@pytest.fixture
def firmware_input(make_network, tmp_path):
    """``firmware_input(shape, pictures, frame)``: int8 (C, H, W), by the C files on this machine."""

    def firmware_input(shape, pictures: Pictures, frame: np.ndarray) -> np.ndarray:
        project, _ = write(tmp_path, make_network(MAP, shape), "camera", pictures, None)
        text = (project / "input.h").read_text()
        address = text.split("#define INPUT_ADDRESS ")[1].split()[0]
        assert int(address, 16) == MAX78000.instance_address(0)
        memory = text.replace(
            f"#define INPUT_ADDRESS {address}", "extern uint32_t memory[];\n#define INPUT_ADDRESS memory"
        )
        (project / "input.h").write_text(memory)
        (project / "memory.c").write_text("#include <stdint.h>\nuint32_t memory[1 << 16];\n")
        library = tmp_path / "picture.so"
        sources = [project / "picture.c", project / "memory.c"]
        compiler = [sys.executable, "-m", "ziglang", "cc", "-Wall", "-Werror", "-O1", "-nostdlib", "-shared", "-fPIC"]
        subprocess.run([*compiler, "-o", library, *sources], check=True)
        picture = ctypes.CDLL(str(library))
        padded = np.concatenate([frame, np.full_like(frame[..., :1], 0xEE)], axis=-1)
        for row, pixels in enumerate(padded):
            picture.add_line(row, pixels.tobytes())
        picture.write_input()
        words = np.array((ctypes.c_uint32 * (shape[1] * shape[2])).in_dll(picture, "memory"), "<u4")
        lanes = words.view(np.int8).reshape(*shape[1:], 4)
        assert not lanes[..., shape[0] :].any(), "bytes of channels that there are not"
        return lanes[..., : shape[0]].transpose(2, 0, 1)

    return firmware_input


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 28, 28), (3, 20, 90), (1, 50, 21), (3, 120, 40)])
@pytest.mark.parametrize("resize", Resize)
@pytest.mark.parametrize("mapping", [*InputMapping, None])
def test_a_frame_becomes_the_input_that_maxexp_camera_makes_of_it(
    firmware_input, make_network, shape, resize, mapping
):
    columns, rows = frame_size(shape)
    frame = colours((rows, columns, 3), 5)
    pixels = to_pixels(Image.fromarray(frame), shape, resize, recolor=True)
    expected = map_pixels(torch.from_numpy(np.array(pixels)), mapping).numpy().transpose(2, 0, 1)
    assert np.array_equal(firmware_input(shape, Pictures(resize, mapping), frame), expected)


def test_the_camera_s_pictures_are_classified_one_after_the_other(compiler, make_network, tmp_path):
    network = make_network(LAYERS, (3, 24, 20))
    project, integer = write(tmp_path, network, "camera", Pictures(Resize.crop, InputMapping.p128))
    line = started(project, "camera")
    columns, rows = frame_size(network.in_shape)
    for seed in (1, 2):
        frame = colours((rows, columns, 3), seed)
        line.write(frame.tobytes())
        seen = to_pixels(Image.fromarray(frame), network.in_shape, Resize.crop, recolor=True)
        signed = map_pixels(torch.from_numpy(np.array(seen)), InputMapping.p128).permute(2, 0, 1)
        expected = int(integer(signed[None].long())[0].argmax())
        said = wait_for_result(line)
        assert class_of(said) == expected and f"% {NAMES[expected]} (" in said


@pytest.mark.parametrize("shape", [(3, 8, 6), (70, 4, 4), (5, 6, 6)])
def test_inputs_come_over_the_serial_line(compiler, make_network, tmp_path, shape):
    """Of few channels, of several words, of several passes."""
    project, integer = write(tmp_path, make_network(LAYERS, shape), "serial")
    line = started(project, "serial")
    for seed in (1, 2, 3):
        image = random_image(shape, seed)
        line.write(b"noise before \x43\x4e" + request(image.numpy().astype(np.int8), MAX78000))
        said = wait_for_result(line)
        scores = integer(image[None])[0].flatten()
        assert class_of(said) == int(scores.argmax())
        percent = 100 * torch.softmax(integer.in_units(scores[None]), 1).max()
        assert float(said.split()[2].rstrip("%")) == pytest.approx(float(percent), abs=0.11)


def test_a_disturbed_input_is_refused_and_the_next_one_taken(compiler, make_network, tmp_path):
    project, integer = write(tmp_path, make_network(LAYERS, (3, 8, 8)), "serial")
    line = started(project, "serial")
    image = random_image((3, 8, 8), 1)
    whole = request(image.numpy().astype(np.int8), MAX78000)
    line.write(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    with pytest.raises(BoardError, match="Disturbed"):
        wait_for_result(line)
    line.write(whole)
    assert class_of(wait_for_result(line)) == int(integer(image[None])[0].argmax())


def test_outputs_that_are_no_classes_are_printed_as_numbers(compiler, make_network, tmp_path):
    project, integer = write(tmp_path, make_network(LAYERS, (3, 8, 8)), "serial", classes=None)
    line = started(project, "serial")
    image = random_image((3, 8, 8), 1)
    line.write(request(image.numpy().astype(np.int8), MAX78000))
    said = wait_for_result(line)
    assert class_of(said) is None
    assert said.split(" (")[0] == "Outputs: " + " ".join(str(int(x)) for x in integer(image[None])[0].flatten())


@pytest.mark.parametrize(
    ("shape", "reason"),
    [
        ((2, 16, 16), "the network's input is 2x16x16, and pictures of the camera have 3 channels, or 1 of gray"),
        ((3, 130, 16), None),
        ((3, 200, 70), "too large for the RAM"),
    ],
)
def test_the_camera_takes_networks_of_pictures_that_it_can_deliver(make_network, shape, reason):
    found = applications()["camera"].refusal(make_network(MAP, shape))
    assert found is None if reason is None else reason in found


def test_a_project_says_how_pictures_become_its_input(make_network, tmp_path):
    Image.fromarray(colours((30, 50, 3), 0)).save(tmp_path / "photo.png")
    pictures = Pictures(Resize.crop, InputMapping.ai8x)
    project, _ = write(tmp_path, make_network(LAYERS, (3, 8, 6)), "serial", pictures)
    form = read_input_form(project)
    assert (form.shape, form.resize, form.mapping) == ((3, 8, 6), pictures.resize, pictures.mapping)
    cut = Image.open(tmp_path / "photo.png").crop((14, 0, 36, 30)).resize((6, 8), Image.Resampling.BILINEAR)
    expected = map_pixels(torch.from_numpy(np.array(cut)), InputMapping.ai8x).permute(2, 0, 1)
    assert np.array_equal(form.input_of(tmp_path / "photo.png"), expected.numpy())
    (project / "input.h").write_text("something else")
    with pytest.raises(BoardError, match="does not say what the input is"):
        read_input_form(project)
    with pytest.raises(BoardError, match="board.application=serial wrote"):
        read_input_form(tmp_path)


def test_a_request_is_what_the_readme_of_the_project_says(make_network, tmp_path):
    """Written by hand, as a user's own program would."""
    signed = colours((3, 2, 2), 1).view(np.int8)
    words = [int.from_bytes(signed[:, row, column].tobytes(), "little") for row in range(2) for column in range(2)]
    assert request(signed, MAX78000) == b"ICNN" + struct.pack("<4I", *words) + struct.pack("<I", sum(words))


def test_a_board_is_asked_about_pictures(compiler, make_network, tmp_path, capsys):
    project, integer = write(tmp_path, make_network(LAYERS, (3, 8, 6)), "serial")
    paths = [str(tmp_path / f"{name}.png") for name in ("one", "two=2")]
    for seed, path in enumerate(paths):
        Image.fromarray(colours((30, 50, 3), seed)).save(path)
    assert main(["classify", str(project), *paths, "board=emulated"]) == 0
    for path, said in zip(paths, capsys.readouterr().out.splitlines(), strict=True):
        seen = torch.from_numpy(read_input_form(project).input_of(Path(path)))
        assert said.startswith(f"{path}: Class {int(integer(seen[None].long())[0].argmax())}: ")
    assert main(["classify", str(project), str(tmp_path / "none.png"), "board=emulated"]) == 1
    assert "none.png: not a readable picture (No such file or directory)" in capsys.readouterr().err
