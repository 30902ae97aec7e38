"""`bursar agent list` and `doctor`: what is installed, how it is let in, how sure a budget is with it, what to mend."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bursar.agents import Agent, Condition, Problem
from bursar.cli.json_output import write_json
from bursar.cli.parsing import parser
from bursar.cli.terminal import width_of
from bursar.config import KNOWN_AGENTS, build_agent, load_project_settings, load_settings, load_user_settings
from bursar.errors import OK, UNAVAILABLE, SetupError, UserError
from bursar.layout import Column, lay_out, say_left_out
from bursar.session import find_project

_VERSION_SECONDS = 30
_COLUMNS = (
    Column(""),
    Column("agent"),
    Column("version", rank=2),
    Column("limit", rank=1),
    Column("login", rank=3, least=10),
    Column("program", least=14),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One agent on this machine. `program` is None where it is not installed; then `problems` says what to do."""

    name: str
    is_chosen: bool
    program: str | None
    version: str | None
    condition: Condition
    problems: tuple[Problem, ...]


def main(arguments: Sequence[str]) -> int:
    """Looks at the agents; 0, or 6 where one that was asked for (by default: the one of runs) is not installed."""
    options = _options(arguments)
    project = Path(find_project())
    settings = load_settings(project)
    names = options.names or _configured(settings)
    if unknown := [name for name in names if name not in KNOWN_AGENTS]:
        raise UserError(f"there is no agent `{unknown[0]}`", hint=f"known agents: {', '.join(KNOWN_AGENTS)}")
    agents = [build_agent(settings, name) for name in names]
    foreign = _named_by_project(project)
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(lambda agent: _examine(agent, chosen=settings.run.agent, foreign=foreign), agents))
    if options.json:
        write_json([_as_data(each) for each in found], only_ascii=True)
    else:
        sys.stdout.write(_render_list(found) if options.action == "list" else _render_doctor(found))
    needed = options.names or [settings.run.agent]
    return UNAVAILABLE if any(each.program is None and each.name in needed for each in found) else OK


def _options(arguments: Sequence[str]) -> Any:
    options = parser("agent", "what agents there are: exit code 0, or 6 if the one that is asked for is not installed")
    options.add_argument(
        "action", nargs="?", default="list", choices=["list", "doctor"], help="one line each, or all in its way"
    )
    options.add_argument("names", nargs="*", metavar="NAME", help="only these (see `bursar agent list`)")
    options.add_argument("--json", action="store_true", help="a JSON array on stdout")
    return options.parse_args(arguments)


def _configured(settings: Any) -> list[str]:
    """All agents; `command` only where a program is set for it."""
    table = settings.agents.get("command")
    has_command = settings.run.agent == "command" or (table is not None and table.argv)
    return [name for name in KNOWN_AGENTS if name != "command" or has_command]


def _named_by_project(project: Path) -> frozenset[str]:
    """Agents whose program the project's own file chooses: nobody has approved that here, so it is not started."""
    of_project, of_user = load_project_settings(project).agents, load_user_settings().agents
    return frozenset(
        name for name, table in of_project.items() if table.program and not (name in of_user and of_user[name].program)
    )


def _examine(agent: Agent, *, chosen: str, foreign: frozenset[str]) -> Finding:
    condition = agent.examine(os.environ)
    is_chosen = agent.name == chosen
    try:
        program = agent.find()
    except SetupError as error:
        missing = (Problem(what=str(error), fix=error.hint or ""),)
        return Finding(
            name=agent.name, is_chosen=is_chosen, program=None, version=None, condition=condition, problems=missing
        )
    version, problems = _ask_version(program, condition, is_foreign=agent.name in foreign)
    return Finding(
        name=agent.name,
        is_chosen=is_chosen,
        program=program,
        version=version,
        condition=condition,
        problems=problems + condition.problems,
    )


def _ask_version(program: str, condition: Condition, *, is_foreign: bool) -> tuple[str | None, tuple[Problem, ...]]:
    """The version, where there is one to ask for, and what is wrong with it."""
    if condition.tried_version is None:
        return None, ()
    if is_foreign:
        what = "this project's bursar.toml names the program, so it is not started to ask for its version"
        return None, (Problem(what=what, fix=f"{shlex.quote(program)} --version"),)
    version = _version_of(program, os.environ)
    return version, _version_problems(condition, version)


def _version_of(program: str, environment: Mapping[str, str]) -> str | None:
    """What it says that it is; None if it does not say."""
    try:
        done = subprocess.run(
            [program, "--version"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_VERSION_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r"\d+(?:\.\d+)+", done.stdout)
    return found[0] if found and done.returncode == 0 else None


def _version_problems(condition: Condition, version: str | None) -> tuple[Problem, ...]:
    tried = condition.tried_version
    if tried is None:
        return ()
    fix = f"npm install -g {condition.package}@{tried}"
    if version is None:
        return (Problem(what="it does not say its version", fix=fix),)
    if _parts(version) < _parts(tried):
        return (Problem(what=f"version {version} is older than the one that was tried, {tried}", fix=fix),)
    return ()


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def _render_list(found: Sequence[Finding]) -> str:
    rows = [tuple(column.title for column in _COLUMNS)]
    rows += [
        (
            "▸" if each.is_chosen else "",
            each.name,
            each.version or "–",
            str(each.condition.certainty),
            each.condition.login or "none found",
            each.program or ("not installed" if "not installed" in each.problems[0].what else "cannot be used"),
        )
        for each in found
    ]
    lines, left_out = lay_out(_COLUMNS, rows, width_of(sys.stdout))
    return "\n".join(lines) + "\n" + say_left_out(left_out)


def _render_doctor(found: Sequence[Finding]) -> str:
    lines: list[str] = []
    for each in found:
        version = f" {each.version}" if each.version else ""
        chosen = " · runs use it" if each.is_chosen else ""
        lines.append(f"{each.name}{version} · limits are {each.condition.certainty}{chosen}")
        if each.program is not None:
            lines.append(f"  ✓ {each.program}")
            lines += [f"  ✓ {each.condition.login}"] if each.condition.login else []
        for problem in each.problems:
            lines += [f"  ✗ {problem.what}", f"    fix: {problem.fix}"]
    return "\n".join(lines) + "\n"


def _as_data(finding: Finding) -> dict[str, Any]:
    return {
        "name": finding.name,
        "chosen": finding.is_chosen,
        "installed": finding.program is not None,
        "program": finding.program,
        "version": finding.version,
        "tried_version": finding.condition.tried_version,
        "login": finding.condition.login,
        "certainty": str(finding.condition.certainty),
        "problems": [{"what": problem.what, "fix": problem.fix} for problem in finding.problems],
    }
