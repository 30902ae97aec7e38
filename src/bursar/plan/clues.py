"""What the tasks of a plan say of each other: the files they write, and the tasks and files that their texts name."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bursar.plan.dependencies import number_key
from bursar.plan.model import Task

MAX_PARTS = 32  # of a path: deeper ones are compared as a whole only
MAX_NAMED = 200  # numbers and paths that are looked for in one task's text

_WORD = r"[A-Za-z]?\d[\w.-]*"
_JOINT = r"\s*(?:,(?:\s*and\b)?|&|\band\b|\bto\b|\bthrough\b|[-–—])\s*"
_TASKS_NAMED = re.compile(rf"\btasks?[\s#:-]*({_WORD}(?:{_JOINT}#?\d[\w.-]*)*)", re.IGNORECASE)
_NAME_OR_DASH = re.compile(rf"{_WORD}|[–—]|\bto\b|\bthrough\b")
_ALL_BEFORE = re.compile(
    r"\b(?:all|any|every)\s+(?:of\s+)?(?:the\s+)?(?:other|previous|prior|preceding|earlier|above)\s+tasks?\b"
    r"|\b(?:previous|prior|preceding|earlier)\s+tasks?\b|\ball\s+(?:the\s+)?tasks\b|\btasks?\s+above\b",
    re.IGNORECASE,
)
_PATH_IN_TEXT = re.compile(r"[\w@~.(\[$-][\w@~./\\()\[\]$-]{2,200}")
_TEST_MARK = re.compile(r"^tests?[_-]|[._-](?:tests?|spec)$", re.IGNORECASE)  # of a file's name without suffix
_CODE_NAME = re.compile(r"[A-Za-z]+(?:_[A-Za-z0-9]+)+|[A-Za-z][a-z0-9]+(?:[A-Z][a-z0-9]*)+|[A-Z][a-z0-9]{3,}(?=\()")
_MAKES = re.compile(
    r"\b(?:adds?|creates?|defines?|exports?|exposes?|implements?|introduces?|provides?|builds?|writes?|dataclass(?:es)?"
    r"|class|def|function|interface|type|const|struct|enum|trait|helpers?)\b([^.\n]{1,120})",
    re.IGNORECASE,
)
_EVERYBODYS = frozenset(  # names of code that no plan makes
    {"TypeScript", "JavaScript", "GitHub", "PostgreSQL", "MySQL", "GraphQL", "WebSocket", "FastAPI", "SQLAlchemy"}
    | {"Uint8Array", "NextResponse", "useState", "useEffect", "useCallback", "useMemo", "useRef", "localStorage"}
)
_WORD_IN_TEXT = re.compile(r"[A-Za-z]\w{3,80}")
_WILD = re.compile(r"[*{]")


class Clues:
    """What the tasks of a plan say of each other."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._numbers = {number_key(task.number): task.number for task in tasks}
        self._files = {task.number: dict.fromkeys(_paths(task)) for task in tasks}
        self._code = {task.number: _stems(self._files[task.number], of_tests=False) for task in tasks}
        self._tested = {task.number: _stems(self._files[task.number], of_tests=True) for task in tasks}
        self._tasks_named: dict[str, dict[str, None]] = {}
        self._paths_named: dict[str, dict[str, None]] = {}
        self._made = {task.number: _names_made(task) for task in tasks}
        self._words: dict[str, frozenset[str]] = {}
        self._tails = _unique_tails(path for paths in self._files.values() for path in paths)

    def files(self, task: Task) -> Mapping[str, None]:
        """What it writes, in one spelling, in order."""
        return self._files[task.number]

    def code(self, task: Task) -> Mapping[str, None]:
        """Names of the files that it writes and that are no tests, without folder and suffix."""
        return self._code[task.number]

    def tested(self, task: Task) -> Mapping[str, None]:
        """Names of what the tests that it writes are tests of: `login` for `test_login.py` and `login.spec.ts`."""
        return self._tested[task.number]

    def tested_in_one(self, first: Task, second: Task) -> str | None:
        """A name of which one of the two writes the code and the other the tests."""
        mixed = (self.tested(second).keys() & self.code(first).keys()) | (
            self.code(second).keys() & self.tested(first).keys()
        )
        return min(mixed, default=None)

    def tasks_named(self, task: Task) -> Mapping[str, None]:
        """Other tasks that its text names: `after Task 2`, `Tasks 1-3`, `tasks 1 and 2`."""
        if task.number not in self._tasks_named:
            self._tasks_named[task.number] = self._find_tasks_named(task)
        return self._tasks_named[task.number]

    def paths_named(self, task: Task) -> Mapping[str, None]:
        """Files of the plan that its text names, in full or by an end that fits one file only."""
        if task.number not in self._paths_named:
            self._paths_named[task.number] = self._find_paths_named(task)
        return self._paths_named[task.number]

    def names_made(self, task: Task) -> Mapping[str, None]:
        """Names of code that its text says it makes: `Store(…)`, `get_profile`, `UserProfile`."""
        return self._made[task.number]

    def words(self, task: Task) -> frozenset[str]:
        """The words of its text, as written."""
        if task.number not in self._words:
            self._words[task.number] = frozenset(_WORD_IN_TEXT.findall(_text(task)))
        return self._words[task.number]

    def name_used(self, first: Task, second: Task) -> str | None:
        """A name that the text of `second` uses and that of `first` says it makes."""
        return next((name for name in self.names_made(first) if name in self.words(second)), None)

    def _find_tasks_named(self, task: Task) -> dict[str, None]:
        found: dict[str, None] = {}
        for match in _TASKS_NAMED.finditer(_text(task)):
            found.update(dict.fromkeys(self._members(match[1])))
            if len(found) > MAX_NAMED:
                break
        found.pop(task.number, None)
        return found

    def _find_paths_named(self, task: Task) -> dict[str, None]:
        found: dict[str, None] = {}
        for match in _PATH_IN_TEXT.finditer(_text(task)):
            word = match[0].replace("\\", "/").strip("()").rstrip("./").removeprefix("./").removeprefix("@/")
            path = self._tails.get(word)
            if path is not None:
                found[path] = None
                if len(found) > MAX_NAMED:
                    break
        return found

    def _members(self, text: str) -> Iterator[str]:
        """The tasks of a list such as `1, 2 and 4` or a range such as `1-3`."""
        last: str | None = None
        is_range = False
        for match in _NAME_OR_DASH.finditer(text):
            word = match[0].strip(".-")
            known = self._numbers.get(number_key(word)) if word else None
            if known is None and re.fullmatch(r"\d{1,4}-\d{1,4}", word):
                low, _, high = word.partition("-")
                yield from self._between(low, high)
            elif known is not None:
                yield from self._between(last, word) if is_range and last is not None else [known]
                last = word
            is_range = known is None and match[0] in ("–", "—", "to", "through")

    def _between(self, low: str, high: str) -> list[str]:
        if not (low.isdigit() and high.isdigit() and int(high) - int(low) < MAX_NAMED):
            return []
        keys = (str(number) for number in range(int(low), int(high) + 1))
        return [self._numbers[key] for key in keys if key in self._numbers]


def _names_made(task: Task) -> dict[str, None]:
    found: dict[str, None] = {}
    for makes in _MAKES.finditer(_text(task)) if task.files and not task.is_checkpoint else ():
        found.update(dict.fromkeys(name for name in _CODE_NAME.findall(makes[1]) if name not in _EVERYBODYS))
        if len(found) > MAX_NAMED:
            break
    return found


def speaks_of_all(task: Task) -> bool:
    """Whether its text speaks of the tasks before it, without their numbers."""
    return _ALL_BEFORE.search(_text(task)) is not None


def _text(task: Task) -> str:
    return "\n".join((task.name, task.action, task.verify, task.done))


def _paths(task: Task) -> Iterator[str]:
    """What a task writes, in one spelling; of a pattern the folder that it lies in, the whole project as `.`."""
    for file in () if task.is_checkpoint else task.files:
        path = file.replace("\\", "/")
        wild = _WILD.search(path)
        yield posixpath.normpath(path if wild is None else posixpath.dirname(path[: wild.start()]) or ".")


def folders_of(path: str) -> list[str]:
    """The folders that hold a path, the whole project as `.` last."""
    parts = path.split("/")
    if path == "." or len(parts) > MAX_PARTS:
        return []
    return ["/".join(parts[:count]) for count in range(len(parts) - 1, 0, -1)] + ["."]


def _stems(paths: Iterable[str], *, of_tests: bool) -> dict[str, None]:
    """Names of the files that are tests, without what marks them as such; or of those that are not."""
    found: dict[str, None] = {}
    for path in paths:
        name = posixpath.splitext(posixpath.basename(path))[0].lower()
        bare = _TEST_MARK.sub("", name, count=1)
        if (bare != name) == of_tests and bare:
            found[bare] = None
    return found


def shared_path(first: Mapping[str, None], second: Mapping[str, None]) -> str | None:
    """A path that both write: the same, or a folder of the one that holds a path of the other."""
    for path in second:
        found = next((place for place in (path, *folders_of(path)) if place in first), None)
        if found is not None:
            return path
    folders = {folder for path in first for folder in folders_of(path)}
    return next((path for path in second if path in folders), None)


def _unique_tails(paths: Iterator[str]) -> dict[str, str]:
    """Ends of paths that fit one path only: `src/lib/db.ts`, `lib/db.ts`, `db.ts`, `src/lib/db` and `lib/db`."""
    whole = {path: path for path in paths}
    found: dict[str, str | None] = {}
    for path in whole:
        parts = path.split("/")[-MAX_PARTS:]
        for count in range(1, len(parts) + 1):
            tail = "/".join(parts[-count:])
            bare, dot, _ = tail.rpartition(".")
            tails = [*([tail] if dot or count > 1 else []), *([bare] if dot and bare.count("/") > 0 else [])]
            for name in tails:
                found[name] = path if found.get(name, path) == path else None
    return {name: path for name, path in found.items() if path is not None} | whole
