"""`bursar usage verify`: what bursar counts in the logs beside what ccusage counts, and why where it differs."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.usage_views import one_line
from bursar.cli.usage_zone import zone_of
from bursar.errors import OK, TASK_FAILED, SetupError, UserError
from bursar.logs import LogIndex, Totals, Wanted, Zone, day_of, open_index, rows_by_day, update_index
from bursar.logs.dropped import Dropped, find_dropped, find_refused, find_repeated, find_tiers
from bursar.money import NANO_PER_USD

_TIMEOUT_SECONDS = 600
_COUNTERS = ("inputTokens", "outputTokens", "cacheCreationTokens", "cacheReadTokens")
_WORDS = ("input", "output", "cache write", "cache read")
_HALF_A_CENT = 0.005
_REASONING_BESIDE = ("gemini", "opencode")
_ALL_MODELS = ""
_PRICES = "the price lists, or how they count long contexts"
_OWN_COST = "OpenCode's own figure, which ccusage takes where there is one; or the price lists"


class Counted(NamedTuple):
    """What one model was used for on one day; `usd` is None where nobody says what that cost."""

    tokens: tuple[int, ...]
    usd: float | None


Key = tuple[str, str, str]
"""Agent, day and model."""
Counts = dict[Key, Counted]


def main(arguments: Sequence[str]) -> int:
    """0 where both count the same, 1 where they do not."""
    options = parser("usage verify", "what bursar counts in the logs that are here now, beside another tool")
    options.add_argument("--against", choices=["ccusage"], default="ccusage", help="the other tool")
    options.add_argument("--command", metavar="COMMAND", default="ccusage", help="how it is started: 'npx ccusage@20'")
    options.add_argument("--timezone", metavar="ZONE", default="UTC", help="whose days (default UTC)")
    options.add_argument("--json", action="store_true", help="JSON on stdout")
    chosen = options.parse_args(arguments)
    zone = zone_of(chosen.timezone)
    command = _command(chosen.command)
    ours, agents = _count_here(zone)
    theirs: Counts = {}
    for agent in agents:
        theirs |= _ask(command, agent, chosen.timezone)
    theirs = _with_reasoning(_without_speeds(theirs, ours), ours)
    whys = {
        "ccusage leaves records out": _reasons(find_dropped(os.environ), zone),
        "ccusage counts records again": _reasons(find_repeated(os.environ), zone),
        "bursar refuses records": _reasons(find_refused(os.environ), zone),
    }
    differences = list(_differences(ours, theirs, whys, _reasons(find_tiers(os.environ), zone)))
    if chosen.json:
        write_json({"same": not differences, "differences": differences}, only_ascii=True)
    else:
        sys.stdout.write(_render(differences, len(ours.keys() | theirs.keys()), agents))
    return TASK_FAILED if differences else OK


def _command(text: str) -> list[str]:
    """The command, word by word.

    Raises:
        UserError: it is no command.
    """
    try:
        command = shlex.split(text)
    except ValueError as error:
        raise UserError(f"--command: {error}", hint="--command 'npx ccusage@20'") from error
    if not command:
        raise UserError("--command is empty", hint="--command 'npx ccusage@20'")
    return command


def _count_here(zone: Zone) -> tuple[Counts, list[str]]:
    """What is in the logs as they are now, in an index of its own; and the agents that have any."""
    with tempfile.TemporaryDirectory(prefix="bursar-verify-") as folder:
        index = open_index(os.path.join(folder, "usage.db"))
        try:
            result = update_index(index, os.environ)
            counts: Counts = {}
            for agent in result.sources:
                counts |= _counts_of(index, agent, zone)
        finally:
            index.close()
    return counts, result.sources


def _counts_of(index: LogIndex, agent: str, zone: Zone) -> Counts:
    return {
        (agent, row.label, model): _counted(totals)
        for row in rows_by_day(index, Wanted(agent=agent), zone, day_of)
        for model, totals in row.models.items()
    }


def _counted(totals: Totals) -> Counted:
    tokens = (totals.input_tokens, totals.output_tokens, totals.cache_write_tokens, totals.cache_read_tokens)
    return Counted(tokens, None if totals.unpriced else totals.nano_usd / NANO_PER_USD)


def _ask(command: Sequence[str], agent: str, zone: str) -> Counts:
    """What the other tool counts.

    Raises:
        SetupError: it is not there, fails, or says what cannot be read.
    """
    argv = [*command, agent, "daily", "--json", "--offline", "--timezone", zone]
    try:
        done = subprocess.run(
            argv, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False, env={**os.environ, **_its_places(agent)}
        )
    except FileNotFoundError as error:
        hint = "npm install -g ccusage, or: bursar usage verify --command 'npx ccusage@20'"
        raise SetupError(f"`{command[0]}` is not installed", hint=hint) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SetupError(f"`{shlex.join(argv)}` could not be run: {error}") from error
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["it says nothing"])[-1]
        raise SetupError(f"`{shlex.join(argv)}` exits with {done.returncode}: {last}")
    try:
        return dict(_read_report(agent, json.loads(done.stdout)))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        hint = "bursar usage verify --command 'npx ccusage@20.0.24'"
        raise SetupError(f"`{shlex.join(argv)}` says what cannot be read: {error!r}", hint=hint) from error


def _its_places(agent: str) -> dict[str, str]:
    """Where ccusage, which has a variable of its own for it, finds the same chats."""
    home = os.environ.get("GEMINI_CLI_HOME")
    if agent == "gemini" and home and "GEMINI_DATA_DIR" not in os.environ:
        return {"GEMINI_DATA_DIR": os.path.join(home, ".gemini")}
    return {}


def _read_report(agent: str, report: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], Counted]]:
    for day in report["daily"]:
        if "modelBreakdowns" in day:
            beside = int(day.get("totalTokens", 0))
            for model in day["modelBreakdowns"]:
                cost = None if model.get("missingPricing") else model["cost"]
                yield (agent, day["date"], model["modelName"]), Counted(_tokens(model), cost)
                beside -= sum(_tokens(model))
            if beside > 0 and agent in _REASONING_BESIDE:
                yield (agent, day["date"], _ALL_MODELS), Counted((0, beside, 0, 0), None)
            continue
        alone = len(day["models"]) == 1  # it says what a day cost, and not what a model did
        for name, model in day["models"].items():
            cost = day["costUSD"] if alone and not model.get("missingPricing") else None
            yield (agent, day["date"], name), Counted(_tokens(model), cost)


def _tokens(model: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(model[name]) for name in _COUNTERS)


def _without_speeds(theirs: Counts, ours: Counts) -> Counts:
    """What ccusage calls a model of its own (`…-fast`) is counted with the model."""
    counts: Counts = {}
    for (agent, day, name), counted in theirs.items():
        key = (agent, day, name)
        if agent == "claude" and key not in ours:
            key = (agent, day, name.removesuffix("-fast"))
        counts[key] = _add(counts[key], counted) if key in counts else counted
    return counts


def _with_reasoning(theirs: Counts, ours: Counts) -> Counts:
    """What ccusage has in a day's total alone is in the output of the day's models.

    It does not say of which: where our figures account for all of it, they say; else it belongs to the first.
    """
    counts = {key: counted for key, counted in theirs.items() if key[2] != _ALL_MODELS}
    for (agent, day, _), beside in (item for item in theirs.items() if item[0][2] == _ALL_MODELS):
        models = [key for key in counts if key[:2] == (agent, day)]
        missing = [max(0, ours[key].tokens[1] - counts[key].tokens[1]) if key in ours else 0 for key in models]
        if sum(missing) != beside.tokens[1]:
            missing = [beside.tokens[1], *(0 for _ in models[1:])]
        for key, tokens in zip(models, missing, strict=False):
            counts[key] = _add(counts[key], Counted((0, tokens, 0, 0), 0.0))
    return counts


def _add(one: Counted, other: Counted) -> Counted:
    usd = None if one.usd is None or other.usd is None else one.usd + other.usd
    return Counted(tuple(map(sum, zip(one.tokens, other.tokens, strict=True))), usd)


def _reasons(records: Iterable[Dropped], zone: Zone) -> Mapping[Key, str]:
    """Why ccusage counts them otherwise, by agent, day and model."""
    found: dict[Key, Counter[str]] = {}
    for record in records:
        seconds = record.at // 1000
        key = ("claude", day_of((seconds + zone.offset_at(seconds)) // 86_400), record.model)
        found.setdefault(key, Counter())[record.reason] += 1
    return {
        key: "; ".join(f"{reason} ({count})" for reason, count in counter.most_common())
        for key, counter in found.items()
    }


def _differences(
    ours: Counts, theirs: Counts, whys: Mapping[str, Mapping[Key, str]], tiers: Mapping[Key, str]
) -> Iterator[dict[str, object]]:
    """`whys`: why a count differs, by what is done and where; `tiers`: why a cost does."""
    nothing = Counted((0, 0, 0, 0), 0.0)
    for key in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(key, nothing), theirs.get(key, nothing)
        if one.tokens != other.tokens:
            reason = "; ".join(f"{what}: {where[key]}" for what, where in whys.items() if key in where)
        elif not _costs_differ(one, other, is_known=key not in tiers):
            continue
        else:
            reason = tiers.get(key, _OWN_COST if key[0] == "opencode" else _PRICES)
        yield {
            "agent": key[0],
            "date": key[1],
            "model": key[2],
            "bursar": {**dict(zip(_COUNTERS, one.tokens, strict=True)), "cost": one.usd},
            "ccusage": {**dict(zip(_COUNTERS, other.tokens, strict=True)), "cost": other.usd},
            "reason": reason or None,
        }


def _costs_differ(one: Counted, other: Counted, *, is_known: bool) -> bool:
    """`is_known`: both mean the same price, so that one which only one of them knows is no difference."""
    if one.usd is None or other.usd is None:
        return not is_known and one.usd != other.usd
    return abs(one.usd - other.usd) >= _HALF_A_CENT


def _render(differences: Sequence[Mapping[str, Any]], compared: int, agents: Sequence[str]) -> str:
    if not compared:
        return "there are no logs to count\n"
    if not differences:
        return f"the same: {compared} days and models of {', '.join(agents)}, each counter to the token and each cent\n"
    text = ""
    for each in differences:
        text += f"{each['date']}  {each['agent']}  {one_line(each['model'])}\n"
        for name, word in zip((*_COUNTERS, "cost"), (*_WORDS, "USD"), strict=True):
            one, other = each["bursar"][name], each["ccusage"][name]
            if one != other:
                text += f"  {word:<12}bursar {_figure(one)}, ccusage {_figure(other)}\n"
        text += f"  why: {each['reason'] or 'not known; please report it'}\n"
    return text + f"{len(differences)} of {compared} days and models differ\n"


def _figure(value: float | None) -> str:
    if value is None:
        return "unknown"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}"
