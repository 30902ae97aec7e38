"""numpy, on one thread: the matrices here are small, and waiting for other threads costs more than they bring.

How many threads it uses is told to it by the environment, once, while it is loaded; what we start sees nothing of that.
"""

from __future__ import annotations

import os
from typing import TypeAlias

_TRIES = 5
_SMALL = 64
_THREADS = "OPENBLAS_NUM_THREADS"
_before = os.environ.get(_THREADS)
os.environ.setdefault(_THREADS, "1")
try:
    import numpy as np
    from numpy.typing import NDArray
finally:
    if _before is None:
        del os.environ[_THREADS]

Floats: TypeAlias = NDArray[np.float64]
Codes: TypeAlias = NDArray[np.int64]
Truths: TypeAlias = NDArray[np.bool_]


def triangular_root(covariance: Floats) -> Floats:
    """The lower triangle whose square is the covariance; of one that rounding has spoiled, of its nearest kin."""
    largest, spoiled = float(covariance.diagonal().max(initial=1.0)), 1e-12
    for _ in range(_TRIES):
        try:
            return np.asarray(np.linalg.cholesky(covariance))
        except np.linalg.LinAlgError:
            covariance = covariance + spoiled * largest * np.eye(len(covariance))
            spoiled *= 100
    return np.diag(np.sqrt(np.maximum(covariance.diagonal(), 0)))


def inverse_of_triangle(triangle: Floats) -> Floats:
    """The inverse of a lower triangle, a lower triangle as well; by halves, as numpy knows inverses of squares only."""
    size = len(triangle)
    if size <= _SMALL:
        return np.tril(np.linalg.inv(triangle))
    half, inverse = size // 2, np.zeros_like(triangle)
    inverse[:half, :half] = inverse_of_triangle(triangle[:half, :half])
    inverse[half:, half:] = inverse_of_triangle(triangle[half:, half:])
    inverse[half:, :half] = -(inverse[half:, half:] @ triangle[half:, :half]) @ inverse[:half, :half]
    return inverse


__all__ = ["Codes", "Floats", "Truths", "inverse_of_triangle", "np", "triangular_root"]
