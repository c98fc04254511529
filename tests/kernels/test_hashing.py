"""Hashes against the published SplitMix64, and what random numbers drawn from them must be."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stream_rec.kernels.hashing import mix64, unit_interval

MASK = 2**64 - 1
GOLDEN_GAMMA = 0x9E3779B97F4A7C15
words = st.integers(0, MASK)


def mix_slowly(x: int) -> int:
    z = (x + GOLDEN_GAMMA) & MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def test_mix_gives_the_published_sequence() -> None:
    """The first numbers of SplitMix64 from seed 1234567, as its reference implementation prints."""
    state, drawn = 1234567, []
    for _ in range(5):
        drawn.append(int(mix64(np.uint64(state))))
        state = (state + GOLDEN_GAMMA) & MASK
    assert drawn == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


@given(words)
def test_mix_equals_oracle(x: int) -> None:
    assert mix64(np.uint64(x)) == mix_slowly(x)


@given(words, st.integers(0, 63))
def test_every_input_bit_changes_many_output_bits(x: int, bit: int) -> None:
    changed = mix_slowly(x) ^ int(mix64(np.uint64(x ^ (1 << bit))))
    assert 8 <= changed.bit_count() <= 56


@given(words)
def test_unit_interval_is_the_leading_53_bits(x: int) -> None:
    assert unit_interval(np.uint64(x)) == (mix_slowly(x) >> 11) / 2**53 < 1.0


def test_unit_interval_is_uniform_over_consecutive_inputs() -> None:
    drawn = [unit_interval(np.uint64(x)) for x in range(20_000)]
    in_tenths = np.histogram(drawn, 10, (0.0, 1.0))[0]
    assert np.all(np.abs(in_tenths - 2_000) < 5 * np.sqrt(2_000))
