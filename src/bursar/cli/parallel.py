"""`bursar parallel`: which phases of a roadmap can run side by side, what that would save, and running them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bursar.cli.json_output import write_json_line
from bursar.cli.parsing import Parser, parser
from bursar.errors import OK

_ABOUT = """\
analyze   groups of phases that can run side by side, as JSON and in words
check     whether that is possible now, with the tokens that are left: exit code 0 if so, 1 if not
config    the limits, where each comes from, and how to set it
simulate  what it would save: "1,2:3,4" runs 1 and 2 together, then 3 and 4
execute   run them: the same as `bursar run ROADMAP`, with its flags
status    how far such a run is, as JSON"""


def main(arguments: Sequence[str]) -> int:
    """Does what was asked; 1 when `check` finds that phases can only run one after the other.

    Raises:
        InvalidPlan: the roadmap cannot be read, or its phases wait for each other.
        UserError: something else that was given is wrong.
    """
    if arguments and arguments[0] in ("execute", "status"):
        from bursar.cli import parallel_run

        return (parallel_run.execute if arguments[0] == "execute" else parallel_run.status)(arguments[1:])
    options = _options(arguments)
    return _ACTIONS[options.action](options)


def _options(arguments: Sequence[str]) -> Any:
    options = parser("parallel", "phases of a roadmap side by side")
    actions = options.add_subparsers(dest="action", required=True, metavar="ACTION", parser_class=Parser)
    helps = dict(line.split(None, 1) for line in _ABOUT.splitlines())
    subs = {name: actions.add_parser(name, help=text, allow_abbrev=False) for name, text in helps.items()}
    for name in ("analyze", "check"):
        subs[name].add_argument(
            "roadmap", nargs="?", metavar="ROADMAP", help="default: ROADMAP.md of the nearest .planning folder"
        )
    subs["check"].add_argument(
        "--remaining", metavar="N", help="as if so many tokens were left (default: what session and budgets have)"
    )
    _add_simulate_flags(subs["simulate"])
    for sub in (subs[name] for name in _ACTIONS):
        sub.add_argument("--json", action="store_true", help="JSON on stdout")
    return options.parse_args(arguments)


def _add_simulate_flags(options: Any) -> None:
    options.add_argument(
        "groups", nargs="?", metavar="GROUPS", help='"1,2:3,4" (default: the groups that analyze finds)'
    )
    options.add_argument("--roadmap", metavar="ROADMAP", help="default: ROADMAP.md of the nearest .planning folder")
    options.add_argument("--minutes", metavar="N", help="minutes of every phase (default: by its plans)")
    options.add_argument("--tokens", metavar="N", help="tokens of every phase (default: its estimate)")


def _analyze(options: Any) -> int:
    from bursar.cli.parallel_views import analyze

    return analyze(options)


def _check(options: Any) -> int:
    from bursar.cli.parallel_views import check

    return check(options)


def _simulate(options: Any) -> int:
    from bursar.cli.parallel_simulation import simulate

    return simulate(options)


def _config(options: Any) -> int:
    from pathlib import Path

    from bursar.config import ParallelSettings, read_parallel
    from bursar.session import find_project

    settings: ParallelSettings = read_parallel(Path(find_project()))
    values = {key: getattr(settings.table, key) for key in settings.sources}
    if options.json:
        data = {key.upper(): value for key, value in values.items()}
        write_json_line(
            data | {"sources": {key.upper(): source for key, source in settings.sources.items()}}, only_ascii=True
        )
        return OK
    sys.stdout.writelines(
        f"{key.upper():<28}{_shown(value):<8}{settings.sources[key]}\n" for key, value in values.items()
    )
    sys.stdout.write(_HOW)
    return OK


def _shown(value: object) -> str:
    return str(value).lower()


_HOW = """
To set them, write in bursar.toml (the project's, or your own in ~/.config/bursar)

  [parallel]
  max_workers = 2
  min_token_budget_per_phase = 50000
  fallback_to_sequential = true

or set BURSAR_MAX_WORKERS, BURSAR_MIN_TOKEN_BUDGET_PER_PHASE, BURSAR_FALLBACK_TO_SEQUENTIAL, which go before.
"""
_ACTIONS: Mapping[str, Callable[[Any], int]] = {
    "analyze": _analyze,
    "check": _check,
    "config": _config,
    "simulate": _simulate,
}
