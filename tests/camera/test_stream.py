"""Recorded streams of the capture example: any pieces, any text between, cut off."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maxexp.base.errors import CameraError
from maxexp.camera.frame import FORMATS, Frame
from maxexp.camera.stream import LONGEST_LINE, Skipped, StreamParser, dump, read_frames
from tests.camera.conftest import unhurried

NAMES = st.sampled_from(sorted(FORMATS))
FRAMES = st.builds(Frame, NAMES, st.integers(1, 300), st.integers(1, 300), st.binary(max_size=60))
TEXT = st.text(st.characters(codec="ascii", exclude_characters="\n\r*"), max_size=20)
JUNK = st.binary(max_size=30).filter(lambda junk: b"*IMG*" not in junk)


def parse(stream: bytes, cuts: list[int]) -> list[str | Frame | Skipped]:
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


WHOLE = [Frame("RGB565", 8, 6, bytes(range(96))), Frame("GRAYSCALE", 5, 5, bytes(range(100, 125)))]


def by_kind(stream: bytes, cuts: list[int]) -> tuple[list[Frame], list[str]]:
    """The frames of a stream, and what was skipped."""
    events = parse(stream, cuts)
    frames = [event for event in events if isinstance(event, Frame)]
    return frames, [event.cause for event in events if isinstance(event, Skipped)]


@unhurried
@given(st.integers(0, 95), st.integers(1, 96), st.lists(st.integers(0, 300)))
def test_behind_a_frame_that_lost_bytes_the_next_one_is_found(place, lost, cuts):
    broken = bytearray(dump(WHOLE[0]))
    start = len(broken) - 96 + place
    del broken[start : start + lost]
    frames, skipped = by_kind(bytes(broken) + dump(WHOLE[1]) + dump(WHOLE[0]), cuts)
    assert frames[-2:] == [WHOLE[1], WHOLE[0]]
    assert len(skipped) == 1 and ("broke off" in skipped[0] or "lacks its last" in skipped[0])


@pytest.mark.parametrize("lost", [1, 5, 40])
def test_a_recorded_frame_that_lost_bytes_is_left_out_and_told(caplog, lost):
    assert list(read_frames(dump(WHOLE[0])[:-lost] + dump(WHOLE[1]))) == [WHOLE[1]]
    assert caplog.messages == [
        f"camera stream: skipped a frame of 96 bytes broke off after {96 - lost}; the next one follows"
    ]


@pytest.mark.parametrize(
    ("damaged", "cause"),
    [
        (b"*IMG* RGB5!5 96 8 6\n" + bytes(30), "a damaged header"),
        (b"*IMG* RGB565 96 8 " + b"9" * 5000 + b"\n", "a damaged header"),
        (b"*IMG* RGB565 99999999 8 6\n", "a header that announces 99,999,999 bytes"),
    ],
)
def test_behind_anything_else_the_next_frame_is_found(damaged, cause):
    for cuts in ([], [10, 15, 300, LONGEST_LINE + 1, 3 * LONGEST_LINE]):
        frames, skipped = by_kind(damaged + b"\n" + dump(WHOLE[0]), cuts)
        assert frames == [WHOLE[0]]
        assert cuts or skipped[0].startswith(cause)


def test_bytes_without_the_end_of_a_line_are_not_kept():
    parser = StreamParser()
    skipped = [event for _ in range(100) for event in parser.feed(b"\x55" * 1000)]
    assert len(skipped) == 20 and all("bytes without the end of a line" in event.cause for event in skipped)
    assert len(parser._buffer) <= LONGEST_LINE
    assert list(parser.feed(dump(WHOLE[0]))) == [WHOLE[0]]


def test_a_header_of_a_huge_frame_holds_nobody_up():
    frames, skipped = by_kind(b"*IMG* RGB565 16000000 4000 2000\n" + dump(WHOLE[0]) + dump(WHOLE[1]), [40, 90, 150])
    assert frames == WHOLE
    assert skipped == ["a frame of 16000000 bytes broke off after 0; the next one follows"]
