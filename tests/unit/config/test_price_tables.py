"""`[[price]]`: what is taken, what is refused, and how two files add up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bursar.config import load_settings
from bursar.errors import UserError

GOOD = """
[[price]]
model = "my-model"
input = "3 USD"
cache_read = "$0.30"
output = "15.25 usd"
since = 2026-12-01
[[price.long_context]]
above = "200k tokens"
input = "6 USD"
"""


def write(folder: Path, text: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bursar.toml").write_text(text, encoding="utf-8")
    return folder


def test_what_a_table_says(tmp_path: Path) -> None:
    (price,) = load_settings(write(tmp_path, GOOD), {}).prices()
    assert (price.model, price.since, price.service_tier) == ("my-model", date(2026, 12, 1), "standard")
    assert price.usd_per_million == {
        "input_tokens": Decimal(3),
        "cache_read_tokens": Decimal("0.30"),
        "output_tokens": Decimal("15.25"),
    }
    (tier,) = price.long_context
    assert (tier.above_tokens, tier.usd_per_million) == (200_000, {"input_tokens": Decimal(6)})


def test_the_users_file_adds_to_the_projects(tmp_path: Path) -> None:
    write(tmp_path / "config/bursar", GOOD.replace("my-model", "of-user"))
    settings = load_settings(write(tmp_path / "repo", GOOD), {"XDG_CONFIG_HOME": str(tmp_path / "config")})
    assert [price.model for price in settings.prices()] == ["my-model", "of-user"]


def test_prices_are_approved_with_the_plan(tmp_path: Path) -> None:
    """A project that calls its model free would empty every budget in USD unseen."""
    with_price = load_settings(write(tmp_path, GOOD), {})
    assert with_price.programs() == ["calls of my-model are priced: input 3 USD, cache_read $0.30, output 15.25 usd"]
    other = load_settings(write(tmp_path, GOOD.replace('"3 USD"', '"0 USD"')), {})
    assert len({"", with_price.digest(), other.digest()}) == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('model = "x"', "needs `input` and `output`"),
        ('model = "x"\ninput = "1 USD"', "needs `input` and `output`"),
        ('model = ""\nlike = "opus"', "is no name"),
        ('model = "a\\u0007b"\nlike = "opus"', "is no name"),
        ('model = "x"\ninput = 3.0\noutput = "1 USD"', "Expected `str`, got `float`"),
        ('model = "x"\ninput = "3"\noutput = "1 USD"', "price of `x`: input: `3` is not an amount in USD"),
        ('model = "x"\ninput = "-3 USD"\noutput = "1 USD"', "`-3 USD` is not an amount"),
        ('model = "x"\ninput = "3e2 USD"\noutput = "1 USD"', "`3e2 USD` is not an amount"),
        ('model = "x"\ninput = "3 EUR"\noutput = "1 USD"', "`3 EUR` is not an amount"),
        ('model = "x"\ninput = "1000001 USD"\noutput = "1 USD"', "too much for a million tokens"),
        ('model = "x"\nlike = "opus"\nfrom = 2026-01-01', "unknown field `from`"),
        ('model = "x"\nlike = "opus"\nsince = "soon"', "Invalid RFC3339 encoded date"),
        ('model = "x"\nlike = "opus"\n[[price.long_context]]\nabove = "2 USD"', "must be in tokens"),
        ('model = "x"\nlike = "opus"\n[[price.long_context]]\nabove = "2k tokens"\ninput = "1 USD"', "none for less"),
    ],
)
def test_refused(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(UserError) as refused:
        load_settings(write(tmp_path, f"[[price]]\n{text}\n"), {})
    assert words in str(refused.value)
    assert str(tmp_path / "bursar.toml") in str(refused.value)
