"""`bursar.toml` is changed as text, so that comments and order stay as they are; and the change is proved.

Only single lines are put in or replaced. Whether that did what was meant is not guessed: the new text, read as TOML,
must be the old one with just that budget changed, or nothing is written.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from bursar.config.budgets import list_problems, read_budgets
from bursar.config.files import SettingsFile, project_file, read_settings_file
from bursar.errors import UserError

_HEADER = re.compile(r"[ \t]*\[\[[ \t]*budget[ \t]*\]\][ \t]*(#.*)?")
_ANY_HEADER = re.compile(r"[ \t]*\[")


def set_budget(root: Path, values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> bool:
    """The project's `bursar.toml` has a budget with these values, by key; whether it is a new one.

    Of a budget that is there, other keys and every comment stay as they are. What somebody else sets at the same time
    is there, too.

    Raises:
        UserError: the budget would not be a valid one, or the file cannot be edited safely; nothing was written.
    """
    with _alone(root):
        return _set_budget(root, values, environment)


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    """Nobody else sets a budget of that project: its folder is locked, where the file system can do that."""
    with ExitStack() as stack:
        with suppress(OSError):
            folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield


def _set_budget(root: Path, values: Mapping[str, Any], environment: Mapping[str, str]) -> bool:
    file = read_settings_file(project_file(root))
    tables = file.parse().get("budget", [])
    names = [each.get("name") for each in tables] if isinstance(tables, list) else []
    is_new = values["name"] not in names
    text = _append(file.text, values) if is_new else _replace(file.text, names.index(values["name"]), values)
    _check_edit(file, text, values)
    problems = read_budgets(root, environment, project=SettingsFile(file.path, text)).problems
    if problems:
        raise UserError(f"{list_problems(problems)}\n  nothing was changed", hint="bursar budget set --help")
    if text != file.text:
        _write(file.path, text)
    return is_new


def _append(text: str, values: Mapping[str, Any]) -> str:
    gap = "" if not text else "\n" if text.endswith("\n") else "\n\n"
    return text + gap + _block(values)


def _block(values: Mapping[str, Any]) -> str:
    return "[[budget]]\n" + "".join(f"{key} = {_literal(value)}\n" for key, value in values.items())


def _replace(text: str, index: int, values: Mapping[str, Any]) -> str:
    """The lines of the `index`-th `[[budget]]` with these values: old lines replaced, new ones after the last."""
    lines = text.splitlines(keepends=True)
    headers = [number for number, line in enumerate(lines) if _HEADER.fullmatch(line.rstrip("\r\n"))]
    if index >= len(headers):
        return text
    start = headers[index] + 1
    end = next((number for number in range(start, len(lines)) if _ANY_HEADER.match(lines[number])), len(lines))
    block, missing = lines[start:end], []
    for key, value in values.items():
        place = next((number for number, line in enumerate(block) if re.match(rf"[ \t]*{key}[ \t]*=", line)), None)
        if place is None:
            missing.append(f"{key} = {_literal(value)}\n")
        else:
            block[place] = _replace_value(block[place], key, value)
    last = max((number for number, line in enumerate(block) if _is_setting(line)), default=-1)
    if missing and last >= 0 and not block[last].endswith("\n"):
        block[last] += "\n"
    return "".join([*lines[:start], *block[: last + 1], *missing, *block[last + 1 :], *lines[end:]])


def _is_setting(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _replace_value(line: str, key: str, value: object) -> str:
    """The line with another value; what stands before it and the comment after it stay."""
    if not _is_toml(line) or tomllib.loads(line) == {key: value}:
        return line  # where a value goes over several lines, the check of the whole edit refuses it
    body = line.rstrip("\r\n")
    comment = next((body[at:] for at in _comments(body) if _is_toml(body[:at])), "")
    rest = body[: len(body) - len(comment)]
    gap = rest[len(rest.rstrip()) :] if comment else ""
    head = rest[: rest.index("=") + 1]
    return f"{head} {_literal(value)}{gap}{comment}{line[len(body) :]}"


def _comments(line: str) -> list[int]:
    return [at for at, character in enumerate(line) if character == "#"]


def _is_toml(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _literal(value: object) -> str:
    """The value as TOML: of texts, truths, and tables of texts; JSON's strings are TOML's, but for one character."""
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(key)} = {_literal(each)}" for key, each in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else json.dumps(name)


def _check_edit(file: SettingsFile, text: str, values: Mapping[str, Any]) -> None:
    """The new text says what the old one did, with that budget changed and nothing else.

    Raises:
        UserError: it does not, because the file is written in a way that one-line edits cannot follow.
    """
    wanted = file.parse()
    tables = wanted.setdefault("budget", [])
    if not isinstance(tables, list):
        raise UserError(f"{file.path}: budgets are written as [[budget]] tables")
    known = next((each for each in tables if each.get("name") == values["name"]), None)
    if known is None:
        tables.append(dict(values))
    else:
        known.update(values)
    try:
        is_as_wanted = tomllib.loads(text) == wanted
    except tomllib.TOMLDecodeError:
        is_as_wanted = False
    if not is_as_wanted:
        raise UserError(
            f"{file.path} is written in a way that cannot be edited safely; nothing was changed",
            hint="put this into it by hand:\n" + _block(values).rstrip(),
        )


def _write(path: Path, text: str) -> None:
    """The file has this text, at once and for good; where it is a link, the file behind it.

    Raises:
        UserError: the folder cannot be written to; nothing was changed.
    """
    target = path.resolve()
    try:
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o644
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with open(handle, "w", encoding="utf-8", newline="") as file:
                file.write(text)
                file.flush()
                os.fsync(handle)
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
