"""Sizes of files as people write them."""

from __future__ import annotations

import pytest

from bursar.config.sizes import parse_size
from bursar.errors import UserError


@pytest.mark.parametrize(
    ("text", "size"), [("64 MB", 64_000_000), ("1.5gb", 1_500_000_000), ("7B", 7), ("20 kB", 20_000), ("0", 0)]
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text, "limits.disk") == size


@pytest.mark.parametrize("text", ["", "5", "-1 MB", "1 MiB", "lots", "1 MB x"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(UserError, match=r"limits\.disk is a size like"):
        parse_size(text, "limits.disk")
