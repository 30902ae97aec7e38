"""Triangles: roots and inverses."""

from __future__ import annotations

import numpy as np
import pytest

from bursar.estimation.numeric import inverse_of_triangle, triangular_root


@pytest.mark.parametrize("size", [0, 1, 64, 65, 201])
def test_a_triangle_times_its_inverse_is_one(size: int) -> None:
    luck = np.random.default_rng(size)
    triangle = np.tril(luck.standard_normal((size, size))) / 10 + np.eye(size)
    inverse = inverse_of_triangle(triangle)
    np.testing.assert_allclose(inverse @ triangle, np.eye(size), atol=1e-9)
    assert not np.triu(inverse, 1).any()


def test_a_root_is_found_where_rounding_has_spoiled_the_covariance() -> None:
    spoiled = np.ones((3, 3)) - 1e-13 * np.eye(3)
    root = triangular_root(spoiled)
    np.testing.assert_allclose(root @ root.T, spoiled, atol=1e-4)
