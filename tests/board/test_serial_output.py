"""The serial parser on what boards say, and on what reaches the host of it."""

from hypothesis import given
from hypothesis import strategies as st

from maxexp.board.serial_output import Mismatch, decode_serial, parse_output

PASSED = (
    b"Waiting...\r\n\r\n*** CNN Inference Test cifar-10 ***\r\n\r\n*** PASS ***\r\n\r\n"
    b"Approximate inference time: 4564 us\r\n\r\nClassification results:\r\n"
    b"[-248970] -> Class 0: 0.0%\r\n[ 199318] -> Class 1: 99.9%\r\n[   4497] -> Class 2: 0.1%\r\n"
)
FAILED = (
    b"\n*** CNN Inference Test net ***\nData mismatch (2/4) at address 0x50404004: "
    b"Expected 0xfffc3376, read 0x00000001.\n\n*** FAIL ***\n\n"
)


def test_pass():
    result = parse_output(decode_serial(PASSED))
    assert result.passed is True
    assert result.inference_us == 4564
    assert result.logits == {0: -248970, 1: 199318, 2: 4497}
    assert result.percent == {0: 0.0, 1: 99.9, 2: 0.1}
    assert "\r" not in result.text


def test_fail_names_the_words_that_differ():
    result = parse_output(decode_serial(FAILED))
    assert result.passed is False
    assert result.mismatches == [Mismatch(2, 4, 0x50404004, 0xFFFC3376, 1)]
    assert result.inference_us is None and not result.logits


def test_time_with_loading():
    assert parse_output("Approximate data loading and inference time: 77 us").inference_us == 77


def test_only_the_last_start_counts():
    assert parse_output(decode_serial(FAILED[-40:] + PASSED)).passed is True
    assert parse_output(decode_serial(PASSED + FAILED)).passed is False
    assert parse_output(decode_serial(PASSED + b"*** CNN Inference Test x ***")).passed is None


@given(st.integers(0, len(PASSED)))
def test_what_is_cut_off_counts_as_not_said(length):
    whole, part = parse_output(decode_serial(PASSED)), parse_output(decode_serial(PASSED[:length]))
    assert part.logits.items() <= whole.logits.items()
    assert part.inference_us in (None, whole.inference_us)
    assert part.passed in (None, True)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_garbage_around_does_no_harm(before, after):
    result = parse_output(decode_serial(before + b"\n" + PASSED + after.replace(b"*", b"")))
    assert (result.passed, result.inference_us) == (True, 4564)
    assert result.logits.items() >= {0: -248970, 1: 199318, 2: 4497}.items()


@given(st.binary())
def test_noise_alone_says_nothing(noise):
    assert parse_output(decode_serial(noise)).passed is None


def test_disturbed_bytes_are_counted_from_the_start_of_the_test_on():
    assert parse_output(decode_serial(b"\xff\xfe" + PASSED)).disturbed == 0
    assert parse_output(decode_serial(b"\xff" + PASSED.replace(b"4564", b"45\xb64\x80"))).disturbed == 2


def test_a_number_beyond_all_bounds_is_not_said():
    said = PASSED.replace(b"4564", b"9" * 5000).replace(b" 199318", b"9" * 5000)
    result = parse_output(decode_serial(said))
    assert result.inference_us is None and result.logits.keys() == {0, 2}
