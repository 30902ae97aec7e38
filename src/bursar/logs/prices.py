"""What a logged call cost at the list price of its day. The price library is loaded once for each of its releases."""

from __future__ import annotations

import json
from bisect import bisect_right
from datetime import UTC, datetime

from bursar.logs.call import LoggedCall
from bursar.logs.index import LogIndex
from bursar.pricing import RateTable, library_version
from bursar.usage import Usage

_EARLIEST = "0001-01-01"
_DAY_MS = 86_400_000
_FAMILIES = ("opus", "gpt-5", "gemini-2.5-pro")  # a name of each maker whose models the agents call


class LoggedPrices:
    """Prices for the calls of an index, which keeps what was looked up."""

    def __init__(self, index: LogIndex) -> None:
        library = library_version()
        kept = index.rates(library)
        if not kept:
            kept = _look_up()
            index.keep_rates(library, kept)
        self._days = [day for day, _ in kept]
        self._tables = [RateTable.from_data(json.loads(data)) for _, data in kept]
        self._by_day: dict[int, RateTable] = {}

    def cost_nano_usd(self, call: LoggedCall) -> int | None:
        """What the call cost; None where the model, or the price of a kind of token, is unknown."""
        day = call.at // _DAY_MS
        table = self._by_day.get(day)
        if table is None:
            table = self._by_day[day] = self._table(day)
        return table.cost_nano_usd(
            call.model,
            Usage(
                input_tokens=call.input_tokens,
                cache_read_tokens=call.cache_read_tokens,
                cache_write_5m_tokens=call.cache_write_5m_tokens,
                cache_write_1h_tokens=call.cache_write_1h_tokens,
                output_tokens=call.output_tokens,
            ),
        )

    def _table(self, day: int) -> RateTable:
        text = f"{datetime.fromtimestamp(day * _DAY_MS / 1000, UTC):%Y-%m-%d}"
        return self._tables[max(0, bisect_right(self._days, text) - 1)]


def _look_up() -> list[tuple[str, str]]:
    """Rate tables as JSON, each after the day from which on it holds; one that changes nothing is left out."""
    from bursar.pricing import load_prices, price_changes

    tables: list[tuple[str, str]] = []
    models = None
    for day in [_EARLIEST, *(f"{day:%Y-%m-%d}" for day in price_changes())]:
        table = load_prices(datetime.fromisoformat(day).replace(tzinfo=UTC)).table(_FAMILIES).to_data()
        if table["models"] != models:
            models = table["models"]
            tables.append((day, json.dumps(table, separators=(",", ":"))))
    return tables
