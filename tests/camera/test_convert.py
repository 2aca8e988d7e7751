"""The convert command: round trips byte for byte, pictures changed only where it is asked for, plain refusals."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image

from maxexp.camera.files import Interpretation, load, save
from maxexp.camera.frame import Frame
from maxexp.camera.layout import Order
from maxexp.camera.stream import dump
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.camera.conftest import unhurried


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("convert")


@pytest.mark.parametrize("order", Order)
@unhurried
@given(size=st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)), seed=st.integers(0, 9))
def test_an_input_is_the_same_after_every_file_type(folder, order, size, seed):
    """.npy to .h to .png to .npy, for all that a PNG can hold."""
    how = Interpretation(MAX78000, shape=size, order=order)
    values = np.random.default_rng(seed).integers(-128, 128, size)
    paths = [folder / name for name in ("a.npy", "b.h", "c.png", "d.npy")]
    np.save(paths[0], values)
    for source, target in zip(paths, paths[1:], strict=False):
        save(load(source, how), target, how)
    assert np.array_equal(np.load(paths[-1]), values)
    assert paths[-1].read_bytes() == paths[0].read_bytes()


def test_the_makers_sample_round_trips(ai8x, camera, tmp_path):
    sample = ai8x / "sample_cifar-10.npy"
    for source, target in [(sample, "s.h"), ("s.h", "s.png"), ("s.png", "t.h"), ("t.h", "t.npy")]:
        assert camera("convert", tmp_path / source, tmp_path / target).code == 0
    assert (tmp_path / "t.npy").read_bytes() == sample.read_bytes()
    assert (tmp_path / "t.h").read_bytes() == (tmp_path / "s.h").read_bytes()
    with Image.open(tmp_path / "s.png") as picture:
        assert np.array_equal(np.asarray(picture), np.load(sample).transpose(1, 2, 0) + 128)


def test_a_header_of_the_maker_is_read_where_its_shape_is_given(camera, refused, tmp_path):
    """Its files have no comment on the shape."""
    header, target = tmp_path / "sampledata.h", tmp_path / "input.npy"
    header.write_text("#define SAMPLE_INPUT_0 { \\\n  0x00b1f01f, 0x00afef20 \\\n}\n")
    assert "does not say its shape (the maker's never do; it has 1 arrays with 2 words)" in refused(
        "convert", header, target
    )
    assert camera("convert", header, target, "--shape", "3x1x2").code == 0
    # docs/hardware.md, Firmware: the first word is R=+31, G=-16, B=-79.
    assert np.load(target)[:, 0, 0].tolist() == [31, -16, -79]


def test_more_channels_than_a_picture_has(camera, refused, tmp_path):
    values = np.random.default_rng(1).integers(-128, 128, (9, 3, 5))
    np.save(tmp_path / "a.npy", values)
    assert camera("convert", tmp_path / "a.npy", tmp_path / "a.h").code == 0
    text = (tmp_path / "a.h").read_text()
    assert [f"SAMPLE_INPUT_{number} " in text for number in (0, 1, 4, 8, 12)] == [True, False, True, True, False]
    assert camera("convert", tmp_path / "a.h", tmp_path / "b.npy").code == 0
    assert np.array_equal(np.load(tmp_path / "b.npy"), values)
    assert "9 channels cannot be a picture" in refused("convert", tmp_path / "a.h", tmp_path / "a.png")
    assert "frames have three colours, and a.h has 9" in refused(
        "convert", tmp_path / "a.h", tmp_path / "a.img", "--format", "RGB565"
    )


def test_processors_and_order_of_the_first_layer(camera, tmp_path, photo):
    header = tmp_path / "a.h"
    assert camera("convert", photo, header, "--order", "chw", "--processors", "0x1010_0010").code == 0
    assert [f"SAMPLE_INPUT_{number} " in header.read_text() for number in (0, 4, 20, 28)] == [False, True, True, True]
    assert camera("convert", header, tmp_path / "b.png").code == 0
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png")), np.asarray(Image.open(photo)))


@pytest.mark.parametrize("pixel_format", ["RGB565", "RGB888"])
def test_dump_to_input_is_what_the_firmware_makes_of_it(camera, tmp_path, pixel_format):
    frame = Frame(
        pixel_format, 6, 4, np.random.default_rng(1).bytes(6 * 4 * {"RGB565": 2, "RGB888": 3}[pixel_format])
    )
    (tmp_path / "raw.bin").write_bytes(frame.data)
    (tmp_path / "frame.img").write_bytes(dump(frame))
    options = ("--format", pixel_format.lower(), "--size", "6x4")
    assert camera("convert", tmp_path / "raw.bin", tmp_path / "a.npy", *options).code == 0
    assert camera("convert", tmp_path / "frame.img", tmp_path / "b.npy").code == 0
    assert np.array_equal(np.load(tmp_path / "a.npy"), frame.network_input())
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


def test_dump_to_png_and_back(camera, tmp_path):
    frame = Frame("RGB565", 6, 4, np.random.default_rng(1).bytes(48))
    (tmp_path / "a.img").write_bytes(dump(frame))
    assert camera("convert", tmp_path / "a.img", tmp_path / "a.png").code == 0
    assert camera("convert", tmp_path / "a.png", tmp_path / "b.img", "--format", "RGB565").code == 0
    assert (tmp_path / "b.img").read_bytes() == (tmp_path / "a.img").read_bytes()
    assert "give the --format of the frame" in camera("convert", tmp_path / "a.png", tmp_path / "c.img").error


def test_a_picture_is_cut_around_its_centre_and_resized_only_on_request(camera, refused, tmp_path):
    """64x32 with three parts: left, middle and right. Of a square the middle half is left."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[:, :16], pixels[:, 16:48], pixels[:, 48:] = (255, 0, 0), (9, 99, 199), (0, 255, 0)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    arguments = ("convert", tmp_path / "a.png", tmp_path / "b.png", "--shape", "3x8x8")
    assert "it has 64x32 pixels, and --shape asks for 8x8 (width x height): add --resize" in refused(*arguments)
    assert camera(*arguments, "--resize", "crop").code == 0
    assert (np.asarray(Image.open(tmp_path / "b.png")) == (9, 99, 199)).all()
    assert "--resize needs to know the size" in refused(*arguments[:3], "--resize")


@pytest.mark.parametrize("resize", ["squash", "crop", None])
def test_a_picture_is_resized_as_training_does_it(camera, tmp_path, resize):
    """Without a value as training does it without one."""
    from maxexp.data.store.decode import decode_image
    from tests.conftest import composed

    pixels = np.random.default_rng(0).integers(0, 256, (24, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    value = [resize] if resize else []
    command = ("convert", tmp_path / "a.png", tmp_path / "b.npy", "--shape", "3x16x16", "--resize", *value)
    assert camera(*command).code == 0
    keys = ("dataset.num_classes=2", "dataset.height=16", "dataset.width=16", *(f"dataset.resize={v}" for v in value))
    seen = decode_image(tmp_path / "a.png", "a.png", composed("dataset=images", *keys).dataset, resize=True)
    assert np.array_equal(np.load(tmp_path / "b.npy"), seen.astype(int) - 128)


@pytest.mark.parametrize(
    ("mode", "shape", "message", "pixel"),
    [
        ("L", "3x4x4", "it is L, and 3 channels are RGB: add --recolor", (102, 102, 102)),
        ("RGB", "1x4x4", "it is RGB, and 1 channels are L", 102),
        ("RGBA", "3x4x4", "it is RGBA, and 3 channels are RGB", (102, 102, 102)),
        ("RGBA", None, "neither gray nor RGB but RGBA: add --recolor to make it RGB", (102, 102, 102)),
        ("P", None, "neither gray nor RGB but P", (102, 102, 102)),
        ("RGB", "5x4x4", "a picture has 1 to 4 channels, and --shape asks for 5", None),
    ],
)
def test_colours_change_only_on_request(camera, refused, tmp_path, mode, shape, message, pixel):
    Image.new("RGB", (4, 4), (102, 102, 102)).convert(mode).save(tmp_path / "a.png")
    arguments = ("convert", tmp_path / "a.png", tmp_path / "b.png", *(("--shape", shape) if shape else ()))
    assert message in refused(*arguments)
    if pixel is not None:
        assert camera(*arguments, "--recolor").code == 0
        assert Image.open(tmp_path / "b.png").getpixel((1, 2)) == pixel


def test_what_is_transparent_becomes_white_as_in_training(camera, tmp_path):
    Image.new("RGBA", (4, 4), (9, 9, 9, 0)).save(tmp_path / "a.png")
    for shape, pixel in ((), (255, 255, 255)), (("--shape", "1x4x4"), 255), (("--shape", "2x4x4"), (9, 0)):
        assert camera("convert", tmp_path / "a.png", tmp_path / "b.png", *shape, "--recolor").code == 0
        assert Image.open(tmp_path / "b.png").getpixel((1, 2)) == pixel


def test_a_photo_need_not_be_a_png(camera, photo, tmp_path):
    Image.open(photo).save(tmp_path / "a.JPG")
    assert camera("convert", tmp_path / "a.JPG", tmp_path / "a.npy").code == 0
    pixels = np.asarray(Image.open(tmp_path / "a.JPG")).astype(int)
    assert np.array_equal(np.load(tmp_path / "a.npy"), pixels.transpose(2, 0, 1) - 128)


def test_a_photo_is_turned_as_its_orientation_says(camera, photo, tmp_path):
    """EXIF orientation 6: by a right angle, clockwise."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    Image.open(photo).save(tmp_path / "a.png", exif=exif)
    done = camera("convert", tmp_path / "a.png", tmp_path / "b.png")
    assert "RGB 32x48" in done.out
    turned = np.rot90(np.asarray(Image.open(photo)), -1)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "b.png")), turned)


def test_frames_go_to_the_network_as_they_are(refused, tmp_path):
    (tmp_path / "a.img").write_bytes(dump(Frame("RGB565", 4, 2, bytes(16))))
    message = refused("convert", tmp_path / "a.img", tmp_path / "b.npy", "--shape", "3x2x2", "--resize")
    assert "a frame of 4x2 pixels is not 3x2x2, and frames go to the network as they are" in message


def test_formats_that_the_firmware_feeds_to_no_network(camera, refused, tmp_path):
    (tmp_path / "a.img").write_bytes(dump(Frame("YUV422", 4, 2, bytes(16))))
    assert "the maker's firmware feeds no network with YUV422 4x2 frames: write a .png and convert that" in refused(
        "convert", tmp_path / "a.img", tmp_path / "b.npy"
    )
    assert camera("convert", tmp_path / "a.img", tmp_path / "a.png").code == 0


def content(name: str):
    """What is in the file of a mistake."""
    arrays = {
        "float": np.zeros((3, 2, 2), np.float32),
        "pixels": np.full((3, 2, 2), 200, np.uint8),
        "image": np.zeros((2, 2), np.int8),
        "batch": np.zeros((1, 3, 2, 2), np.int8),
        "none": np.zeros((3, 0, 2), np.int8),
        "other": np.zeros((3, 2, 3), np.int8),
    }
    return arrays[name]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("float", "holds float32 and not integers: multiply a network's input in -1..1 by 128, round"),
        ("pixels", "holds 200 to 200, and a network's input -128 to 127: subtract 128 from pixels"),
        ("image", "has 2 dimensions and not channels x rows x columns"),
        ("batch", "has 4 dimensions"),
        ("none", "holds nothing"),
        ("other", "is a network input of 3x2x3, and --shape asks for 3x2x2"),
    ],
)
def test_arrays_that_are_no_input(refused, tmp_path, name, message):
    np.save(tmp_path / "a.npy", content(name))
    options = ("--shape", "3x2x2") if name == "other" else ()
    assert refused("convert", tmp_path / "a.npy", tmp_path / "a.png", *options).startswith(
        f"{tmp_path}/a.npy: {message}"
    )


def test_files_that_are_not_what_they_seem(refused, tmp_path, photo):
    target = tmp_path / "b.png"
    (tmp_path / "text.png").write_text("hello")
    (tmp_path / "cut.png").write_bytes(photo.read_bytes()[:-40])
    (tmp_path / "text.npy").write_text("hello")
    (tmp_path / "text.h").write_text("hello")
    (tmp_path / "text.bin").write_text("hello")
    np.savez(tmp_path / "many.npz", np.zeros(1))
    os.rename(tmp_path / "many.npz", tmp_path / "many.npy")
    Image.fromarray(np.zeros((2, 2), np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "two.img").write_bytes(2 * dump(Frame("RGB565", 1, 1, b"ab")))
    for name, message in {
        "missing.png": "No such file or directory",
        "missing.bin": "No such file or directory",
        "text.png": "not a readable picture",
        "cut.png": "not a readable picture",
        "deep.png": "more than 8 bits per channel",
        "text.npy": "not an array that numpy.save has written",
        "many.npy": "an archive of arrays",
        "text.h": "there is no '#define SAMPLE_INPUT_<n> { ... }' in it",
        "text.bin": "taken for a frame dump, and it does not say its format: give --format and --size WxH",
        "two.img": "holds 2 frames: take it apart with 'capture --file",
    }.items():
        assert refused("convert", tmp_path / name, target).startswith(f"{tmp_path / name}: {message}"), name
    assert "5 bytes are not a frame of 2x2 pixels in BAYER, which has 4" in refused(
        "convert", tmp_path / "text.bin", target, "--format", "BAYER", "--size", "2x2"
    )
    assert not target.exists()


def test_targets_that_cannot_be(refused, tmp_path, photo):
    assert "unknown suffix .jpg: write to .png, .npy, .h or .img" in refused("convert", photo, tmp_path / "b.jpg")
    assert "unknown suffix (none)" in refused("convert", photo, tmp_path / "b")
    assert "No such file or directory" in refused("convert", photo, tmp_path / "no" / "b.npy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--format", "RGB999"), "choose from"),
        (("--size", "64"), "'64' is not WIDTHxHEIGHT, numbers above 0"),
        (("--size", "0x4"), "'0x4' is not WIDTHxHEIGHT"),
        (("--shape", "32x32"), "'32x32' is not CHANNELSxROWSxCOLUMNS"),
        (("--order", "whc"), "argument --order"),
        (("--processors", "0"), "'0' is not a mask of processors such as 0x7"),
        (("--processors", "abc"), "'abc' is not a mask"),
    ],
)
def test_options_that_cannot_be_understood(refused, tmp_path, options, message):
    assert message in refused("convert", tmp_path / "a.png", tmp_path / "b.png", *options, code=2)
