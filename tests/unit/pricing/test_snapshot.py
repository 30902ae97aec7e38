"""The price library's data, read without the library, is the library's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from genai_prices.data_snapshot import get_snapshot

from bursar.errors import InternalError
from bursar.pricing import Prices, library, load_prices, price_history, snapshot
from bursar.usage import Usage

MOMENTS = [
    datetime(2024, 1, 1, tzinfo=UTC),
    datetime(2026, 9, 12, 3, tzinfo=UTC),
    datetime(2026, 11, 18, 17, tzinfo=UTC),
]
USAGE = Usage(input_tokens=300_000, cache_read_tokens=1000, output_tokens=700)


@pytest.fixture
def no_cache() -> Iterator[None]:
    library._providers.cache_clear()
    yield
    library._providers.cache_clear()


@pytest.mark.parametrize("moment", MOMENTS, ids=str)
def test_every_price_of_every_provider_is_the_librarys(moment: datetime) -> None:
    ours = Prices(snapshot.read_providers(), moment).whole_table().to_data()
    theirs = Prices(get_snapshot().providers, moment).whole_table().to_data()
    assert len(ours["models"]) > 1000
    assert ours == theirs


@pytest.mark.usefixtures("no_cache")
@pytest.mark.parametrize(
    "text", ["", "providers = 5", "from .types import *\nproviders = [Provider(1)]", "syntax error"]
)
def test_data_that_is_built_otherwise_is_left_to_the_library(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "data.py"
    broken.write_text(text)
    monkeypatch.setattr(snapshot, "data_path", lambda: str(broken))
    with pytest.raises(InternalError):
        snapshot.read_providers()
    assert load_prices(MOMENTS[-1]).cost_nano_usd("claude-sonnet-4-5", USAGE) is not None


@pytest.mark.parametrize(
    "model", ["claude-sonnet-4-5", "claude-opus-4-5-20251101", "gpt-5.2-codex", "gemini-3-pro-preview"]
)
def test_the_history_of_a_model_has_the_prices_of_each_day(model: str) -> None:
    history = price_history(model)
    assert history[0][0] == date.min
    for moment in MOMENTS:
        rates = [rates for day, rates in history if day <= moment.date()][-1]
        assert rates is not None
        assert rates.cost_nano_usd(USAGE) == load_prices(moment).cost_nano_usd(model, USAGE)


def test_a_model_that_nobody_knows_has_no_history() -> None:
    assert price_history("nobody's-model") == []
    assert price_history("") == []
