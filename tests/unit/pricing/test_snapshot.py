"""The price library's data, read without the library, is the library's."""

from __future__ import annotations

import random
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
    for kept in (library._providers, library._first_provider, library._sieve):
        kept.cache_clear()
    yield
    for kept in (library._providers, library._first_provider, library._sieve):
        kept.cache_clear()


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
    assert price_history("claude-sonnet-4-5")


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


@pytest.mark.parametrize("seed", range(3))
def test_a_name_is_looked_up_in_part_of_the_data_as_in_all_of_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first provider is read alone, and names that no rule can mean are not looked for."""
    print(f"seed {seed}")
    dice = random.Random(seed)
    providers = snapshot.read_providers()
    known = [model.id for provider in providers for model in provider.models]
    names = [*dice.sample(known, 60), "", "claude", "Anthropic/Claude-Opus-4-5[1m]", "nobody's"]
    names += [f"{dice.choice('xz/')}{name}" for name in dice.sample(known, 20)]
    names += [name[: dice.randrange(len(name))] + dice.choice("-x9") for name in dice.sample(known, 20)]
    quick = {name: price_history(name) for name in names}
    monkeypatch.setattr(library, "_providers_with", lambda _: library._providers())
    assert {name: price_history(name) for name in names} == quick
    assert any(not history for history in quick.values())
    assert sum(bool(history) for history in quick.values()) > 40


def test_thousands_of_unknown_names_are_not_searched_for(monkeypatch: pytest.MonkeyPatch) -> None:
    price_history("nobody's")
    searched = []
    monkeypatch.setattr(library, "find_model", lambda providers, name: searched.append(len(providers)))
    for number in range(100):
        assert price_history(f"hostile {number}") == []
    assert max(searched) == 1  # at the first provider, and at no other


def test_one_provider_is_read_without_those_after_it() -> None:
    (ours,) = snapshot.read_providers("anthropic")
    (whole,) = [provider for provider in snapshot.read_providers() if provider.id == "anthropic"]
    assert ours == whole
    assert snapshot.read_providers("nobody") == []
