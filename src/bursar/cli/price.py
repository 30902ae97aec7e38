"""`bursar price list` and `check`: what a call of a model costs, by the list and by the user's own word."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.terminal import width_of
from bursar.clock import SystemClock
from bursar.config import load_settings
from bursar.errors import OK, TASK_FAILED, UserError
from bursar.layout import Column, count_of, lay_out, say_left_out
from bursar.money import format_usd
from bursar.pricing import (
    ALIASES,
    COUNTERS,
    FEMTO_PER_TOKEN,
    STANDARD,
    ModelRates,
    Prices,
    RateTable,
    library_version,
    load_prices,
)
from bursar.session import find_project
from bursar.usage import Usage

_TITLES = {
    "input_tokens": "input",
    "cache_read_tokens": "cache read",
    "cache_write_5m_tokens": "write 5m",
    "cache_write_1h_tokens": "write 1h",
    "output_tokens": "output",
}
_COLUMNS = (
    Column("model", least=16, usual=36),
    *(
        Column(_TITLES[counter], is_right=True, rank=rank)
        for counter, rank in zip(COUNTERS, (0, 2, 3, 4, 0), strict=True)
    ),
    Column("from", rank=5),
)
_PROVIDERS_OF_AGENTS = ("opus", "gpt-5", "gemini-2.5-pro")  # a model of each whose CLI there is


def main(arguments: Sequence[str]) -> int:
    """Prints prices; 0, or 1 where `check` knows none."""
    options = _options(arguments)
    moment = datetime.combine(options.at, time(), tzinfo=UTC) if options.at else SystemClock().now()
    prices = load_prices(moment, load_settings(Path(find_project())).prices())
    return _check(prices, options) if options.action == "check" else _list(prices, options)


def _options(arguments: Sequence[str]) -> Any:
    options = parser("price", "what calls cost, in USD for a million tokens; offline")
    actions = options.add_subparsers(dest="action", metavar="list|check", required=True)
    listing = actions.add_parser("list", help="the models of the agents' providers", allow_abbrev=False)
    listing.add_argument(
        "pattern", nargs="?", default="", metavar="TEXT", help="only models whose name holds this, of any provider"
    )
    listing.add_argument("--all", action="store_true", help="the models of every provider")
    check = actions.add_parser("check", help="one model: its prices, and what a call costs", allow_abbrev=False)
    check.add_argument("model", metavar="MODEL", help="its name, as an agent tells it")
    for counter in COUNTERS:
        flag = "--" + counter.replace("_", "-")
        check.add_argument(flag, type=_tokens, default=0, metavar="N", help="tokens of a call to price")
    check.add_argument("--service-tier", default=STANDARD, metavar="NAME", help="for example batch (default: standard)")
    for each in (listing, check):
        each.add_argument("--at", type=_day, metavar="YYYY-MM-DD", help="prices of that day (UTC), not of today")
        each.add_argument("--json", action="store_true", help="JSON on stdout")
    return options.parse_args(arguments)


def _tokens(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise argparse.ArgumentTypeError(f"`{text}` is not a number of tokens")
    return int(text)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"`{text}` is not a day, as 2026-11-21 is one") from None


def _list(prices: Prices, options: Any) -> int:
    is_narrow = not options.all and not options.pattern
    table = prices.table(_PROVIDERS_OF_AGENTS) if is_narrow else prices.whole_table()
    models = [model for model in _priced(table) if options.pattern.lower() in model.model]
    if not models:
        hint = f"nearest: {', '.join(near)}" if (near := prices.nearest_models(options.pattern)) else None
        raise UserError(f"no model with a price has `{options.pattern}` in its name", hint=hint)
    if options.json:
        write_json({"at": table.dated, "models": [_as_data(prices, model) for model in models]})
        return OK
    sys.stdout.write(_render_table(prices, models))
    sys.stderr.write(_footnote(table, models))
    return OK


def _priced(table: RateTable) -> list[ModelRates]:
    """The models that cost something by the token, each once, by name; what is stated goes before what is listed."""
    found: dict[tuple[str, str], ModelRates] = {}
    for rates in table.all_rates:
        if rates.rates:
            found.setdefault((rates.model, rates.service_tier), rates)
    return [found[key] for key in sorted(found)]


def _check(prices: Prices, options: Any) -> int:
    usage = Usage(**{counter: getattr(options, counter) for counter in COUNTERS})
    table = prices.whole_table()
    rates = table.find(options.model, options.service_tier)
    cost = None if rates is None else rates.cost_nano_usd(usage, options.service_tier)
    is_known = rates is not None and (rates.cost_nano_usd(Usage(), options.service_tier) is not None)
    near = () if is_known else prices.nearest_models(options.model)
    if options.json:
        data = _as_data(prices, rates) if rates is not None and is_known else None
        call = {"cost_nano_usd": cost, "usage": {counter: getattr(usage, counter) for counter in COUNTERS}}
        write_json({"asked": options.model, "at": table.dated, "price": data, "call": call, "nearest": list(near)})
    if rates is None or not is_known:
        sys.stderr.write(_unknown(options, near, is_model_known=rates is not None))
        return TASK_FAILED
    if not options.json:
        sys.stdout.write(_render_check(prices, rates, options, usage, cost))
    return OK


def _unknown(options: Any, near: Sequence[str], *, is_model_known: bool) -> str:
    if is_model_known:
        return (
            f"error: no price of `{options.model}` is known for the service tier `{options.service_tier}`\n"
            f'\nhint: state it in bursar.toml: [[price]] with service_tier = "{options.service_tier}"\n'
        )
    if options.model.lower() in ALIASES:
        hint = f"it is an alias, and the agent decides which model it means: bursar price list {options.model.lower()}"
    else:
        hint = f"nearest: {', '.join(near)}" if near else "state it in bursar.toml: [[price]] with model, input, output"
    return f"error: no price of `{options.model}` is known\n\nhint: {hint}\n"


def _render_check(prices: Prices, rates: ModelRates, options: Any, usage: Usage, cost: int | None) -> str:
    lines = [_render_table(prices, [rates]).rstrip("\n")]
    if rates.halved.get(options.service_tier):
        kinds = ", ".join(_TITLES[counter] for counter in rates.halved[options.service_tier])
        lines.append(f"at the service tier {options.service_tier} half of it: {kinds}")
    if usage.total_tokens:
        lines.append(f"such a call of {usage.total_tokens:,} tokens: {format_usd(cost, digits=4)}")
    return "\n".join(lines) + "\n"


def _render_table(prices: Prices, models: Sequence[ModelRates]) -> str:
    rows = [[column.title for column in _COLUMNS]]
    for model in models:
        source = _source(prices, model)
        tier = "" if model.service_tier == STANDARD else f" [{model.service_tier}]"
        rows.append([model.model + tier, *(_rate_text(model, counter, 0) for counter in COUNTERS), source])
        rows += [
            [f"  above {start:,} tokens", *(_rate_text(model, counter, start + 1) for counter in COUNTERS), ""]
            for start in _tier_starts(model)
        ]
    lines, left_out = lay_out(_COLUMNS, rows, width_of(sys.stdout))
    return "\n".join(lines) + "\n" + say_left_out(left_out)


def _footnote(table: RateTable, models: Sequence[ModelRates]) -> str:
    return (
        f"{count_of(len(models), 'model')}, USD for a million tokens on {table.dated[:10]}; list prices of genai-prices"
        f" {library_version()}. A kind of token without a price has an unknown cost, never 0.\n"
    )


def _source(prices: Prices, model: ModelRates) -> str:
    return "bursar.toml" if prices.is_stated(model) else "list"


def _rate_text(model: ModelRates, counter: str, total_input_tokens: int) -> str:
    rate = model.rates.get(counter)
    return "–" if rate is None else _usd_text(rate.at(total_input_tokens))


def _tier_starts(model: ModelRates) -> list[int]:
    return sorted({start for rate in model.rates.values() for start, _ in rate.tiers})


def _usd_text(femto: int) -> str:
    """USD for a million tokens, exact, with at least two decimals."""
    usd = (Decimal(femto) / FEMTO_PER_TOKEN).normalize()
    exponent = usd.as_tuple().exponent
    return f"{usd:.2f}" if isinstance(exponent, int) and exponent > -2 else f"{usd:f}"


def _as_data(prices: Prices, model: ModelRates) -> dict[str, Any]:
    """Amounts are text: USD for a million tokens, exact."""
    return {
        "model": model.model,
        "service_tier": model.service_tier,
        "source": _source(prices, model),
        "usd_per_million_tokens": {counter: _usd_text(rate.base) for counter, rate in model.rates.items()},
        "long_context": [
            {
                "above_tokens": start,
                "usd_per_million_tokens": {
                    counter: _usd_text(rate.at(start + 1)) for counter, rate in model.rates.items()
                },
            }
            for start in _tier_starts(model)
        ],
        "half_price": {tier: list(counters) for tier, counters in model.halved.items()},
    }
