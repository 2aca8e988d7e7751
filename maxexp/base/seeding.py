"""Seeds derived from others, so that every source of randomness has one of its own."""

import hashlib


def derived_seed(*parts: int | str) -> int:
    """A 63-bit seed that depends on all parts; neighbouring seeds and epochs share nothing."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
