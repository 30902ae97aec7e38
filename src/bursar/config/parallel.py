"""`[parallel]`: how phases run side by side, and where each value came from."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bursar.config.files import project_file, read_settings_file, user_file
from bursar.errors import UserError

MAX_WORKERS = 64
MAX_TOKENS = 2**63 - 1
_NUMBER = re.compile("[0-9]{1,19}")
_TRUTHS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class ParallelTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[parallel]`: phases side by side.

    Attributes:
        max_workers: how many phases run at once.
        min_token_budget_per_phase: a group of phases starts together only if so many tokens are left for each.
        fallback_to_sequential: without them its phases run one after the other; else not at all.
    """

    max_workers: int = 2
    min_token_budget_per_phase: int = 50_000
    fallback_to_sequential: bool = True


@dataclass(frozen=True, slots=True)
class ParallelSettings:
    """The values, and where each came from, by key: a file, a variable of the environment, or `default`."""

    table: ParallelTable
    sources: Mapping[str, str]


def read_parallel(root: Path, environment: Mapping[str, str] = os.environ) -> ParallelSettings:
    """The settings of the project at `root`: its file, then the user's, then the environment.

    Raises:
        UserError: a file is not TOML, or a key or value in it or in the environment is wrong.
    """
    table, sources = ParallelTable(), dict.fromkeys(ParallelTable.__struct_fields__, "default")
    for path in (project_file(root), user_file(environment)):
        found = read_settings_file(path).parse().get("parallel", {})
        try:
            read = msgspec.convert(found, ParallelTable)
        except msgspec.ValidationError as error:
            raise UserError(f"{path}: parallel: {error}") from error
        check_parallel(read, f"{path}: parallel.")
        table = msgspec.structs.replace(table, **{key: getattr(read, key) for key in found})
        sources |= dict.fromkeys(found, str(path))
    given = [key for key in sources if environment.get(variable_of_parallel(key))]
    changed = parallel_in_environment(table, environment)
    return ParallelSettings(changed, sources | {key: variable_of_parallel(key) for key in given})


def parallel_in_environment(table: ParallelTable, environment: Mapping[str, str]) -> ParallelTable:
    """The table with what the environment says in its place.

    Raises:
        UserError: a variable is no such value.
    """
    changes: dict[str, object] = {}
    for key in ParallelTable.__struct_fields__:
        variable = variable_of_parallel(key)
        if text := environment.get(variable):
            changes[key] = _PARSERS[key](variable, text.strip())
    return msgspec.structs.replace(table, **changes)


def variable_of_parallel(key: str) -> str:
    """The variable of the environment that goes before a key: `BURSAR_MAX_WORKERS`."""
    return f"BURSAR_{key.upper()}"


def check_parallel(table: ParallelTable, where: str) -> None:
    """The numbers are within what makes sense.

    Raises:
        UserError: one is not; it is named with `where` before it.
    """
    _check_range(f"{where}max_workers", table.max_workers, MAX_WORKERS)
    _check_range(f"{where}min_token_budget_per_phase", table.min_token_budget_per_phase, MAX_TOKENS)


def _check_range(name: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise UserError(f"{name} must be from 1 to {most}, not {value}")


def _whole(variable: str, text: str, most: int) -> int:
    if not _NUMBER.fullmatch(text) or not 1 <= int(text) <= most:
        raise UserError(f"{variable} must be a whole number from 1 to {most}, not {text!r}")
    return int(text)


def _truth(variable: str, text: str) -> bool:
    if text.lower() not in _TRUTHS:
        raise UserError(f"{variable} must be true or false, not {text!r}")
    return _TRUTHS[text.lower()]


_PARSERS: Mapping[str, Callable[[str, str], object]] = {
    "max_workers": lambda variable, text: _whole(variable, text, MAX_WORKERS),
    "min_token_budget_per_phase": lambda variable, text: _whole(variable, text, MAX_TOKENS),
    "fallback_to_sequential": _truth,
}
