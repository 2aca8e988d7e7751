"""Recorded streams of the capture example: any pieces, any text between, cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxexp.base.errors import CameraError
from maxexp.camera.frame import FORMATS, Frame
from maxexp.camera.stream import StreamParser, dump, read_frames
from tests.camera.conftest import unhurried

NAMES = st.sampled_from(sorted(FORMATS))
FRAMES = st.builds(Frame, NAMES, st.integers(1, 300), st.integers(1, 300), st.binary(max_size=60))
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\n\r*"), max_size=20)
JUNK = st.binary(max_size=30).filter(lambda junk: b"*IMG*" not in junk)


def parse(stream: bytes, cuts: list[int]) -> list[str | Frame]:
    parser, edges = StreamParser(), [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in zip(edges, edges[1:], strict=False)]
    return [event for piece in pieces for event in parser.feed(piece)]


@unhurried
@given(st.lists(st.one_of(FRAMES, TEXT)), st.lists(st.integers(0, 300)))
def test_lines_and_frames_come_out_as_they_went_in(events, cuts):
    stream = b"".join(dump(event) if isinstance(event, Frame) else event.encode() + b"\r\n" for event in events)
    expected = [event if isinstance(event, Frame) else event.strip() for event in events]
    assert parse(stream, cuts) == expected


@unhurried
@given(st.lists(st.tuples(JUNK, FRAMES), min_size=1), JUNK, st.lists(st.integers(0, 300)))
def test_frames_are_found_among_garbage(pairs, end, cuts):
    stream = b"".join(junk + dump(frame) for junk, frame in pairs) + end
    frames = [frame for _, frame in pairs]
    assert [event for event in parse(stream, cuts) if isinstance(event, Frame)] == frames
    assert list(read_frames(stream)) == frames


def test_the_header_is_the_makers():
    assert dump(Frame("RGB565", 2, 1, b"abcd")) == b"*IMG* RGB565 4 2 1\nabcd"


def test_a_stream_that_ends_within_a_frame_gives_those_before_it():
    whole = Frame("BAYER", 2, 2, b"abcd")
    found = []
    with pytest.raises(CameraError, match="ends within a frame, after 3 of 4 bytes"):
        for frame in read_frames(dump(whole) + dump(whole)[:-1]):
            found.append(frame)  # noqa: PERF402 (extend would lose it)
    assert found == [whole]


@pytest.mark.parametrize("stream", [b"", b"Ready!\n", b"*IMG* RGB565 4 2\nabcd", b"*IMG* RGB565 -4 2 1\nabcd"])
def test_a_stream_without_frames(stream):
    with pytest.raises(CameraError, match="there is no frame in it"):
        list(read_frames(stream))
