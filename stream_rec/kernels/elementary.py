"""Logarithm and exponential in single precision, as polynomials that fill vector registers.

A number is taken apart into x = m · 2^e with m near 1, which costs two operations on its bits:

    ln x  = e · ln 2 + P(m − 1)                   for √½ ≤ m < √2
    e^x   = 2^n · Q(x − n · ln 2)                 n = x / ln 2, rounded

The logarithm is within 2e-7 of the exact value (relative to it where that is over 1), the
exponential within 3e-7 relative to it. The functions of the C library are called once for each
number and cost ten times as much.

Source: S. L. Moshier, Cephes mathematical library (logf and expf: the polynomials).
"""

from __future__ import annotations

import numpy as np

from stream_rec.kernels.jit import inline_kernel

_BITS_OF_ROOT_HALF = 0x3F3504F3
_MANTISSA_BITS = 23
_EXPONENT_BIAS = 127
_LN_2 = np.float32(0.6931471805599453)
_LN_2_HIGH, _LN_2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)
_LOG2_E = np.float32(1.4426950408889634)
EXPONENT_MIN = np.float32(-87.0)
"""e^x of less is taken as e^−87, some 1e-38."""
P0, P1, P2 = np.float32(7.0376836292e-2), np.float32(-1.1514610310e-1), np.float32(1.1676998740e-1)
P3, P4, P5 = np.float32(-1.2420140846e-1), np.float32(1.4249322787e-1), np.float32(-1.6668057665e-1)
P6, P7, P8 = np.float32(2.0000714765e-1), np.float32(-2.4999993993e-1), np.float32(3.3333331174e-1)
Q0, Q1, Q2 = np.float32(1.9875691500e-4), np.float32(1.3981999507e-3), np.float32(8.3334519073e-3)
Q3, Q4, Q5 = np.float32(4.1665795894e-2), np.float32(1.6666665459e-1), np.float32(5.0000001201e-1)


@inline_kernel
def ln(x: np.float32) -> np.float32:
    """Return the natural logarithm of a positive, finite number that is not denormal."""
    bits = np.float32(x).view(np.int32)
    exponent = np.int32(np.int32(bits - _BITS_OF_ROOT_HALF) >> _MANTISSA_BITS)
    mantissa = np.int32(bits - np.int32(exponent << _MANTISSA_BITS)).view(np.float32)
    f = mantissa - np.float32(1.0)
    square = f * f
    p = ((((P0 * f + P1) * f + P2) * f + P3) * f + P4) * f + P5
    p = ((p * f + P6) * f + P7) * f + P8
    return f + (p * f * square - np.float32(0.5) * square) + np.float32(exponent) * _LN_2


@inline_kernel
def exp(x: np.float32) -> np.float32:
    """Return e^x for x up to 87."""
    x = max(np.float32(x), EXPONENT_MIN)
    n = np.floor(x * _LOG2_E + np.float32(0.5))
    f = x - n * _LN_2_HIGH - n * _LN_2_LOW
    q = ((((Q0 * f + Q1) * f + Q2) * f + Q3) * f + Q4) * f + Q5
    power = np.int32(np.int32(np.int32(n) + _EXPONENT_BIAS) << _MANTISSA_BITS).view(np.float32)
    return np.float32((q * f * f + f + np.float32(1.0)) * power)
