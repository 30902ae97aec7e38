"""Text that is as wide as there is room for: lines folded between words, tables without what matters least.

It imports nothing, because the quickest commands use it. How wide a terminal is, others find out.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ESCAPE = "\x1b"
_FIRST_WIDE = "\u1100"
_LEAST_WIDTH = 20  # for less nobody can lay anything out
_GOES_ON = 8  # a line that stands so far to the right goes on with another one
_LONGEST = 10_000  # what is longer is no text for people
_DOT = " · "
_ARROW = "→"
_COMMANDS = ("bursar", "git")
_UNITS = frozenset({"tokens", "token", "USD", "s", "min", "h", "times", "calls"})
_DATA = ("{", "}", "[", "]", '"')
_ADVICE = ("hint: ", "fix: ")
_PROGRAMS = frozenset(
    {"apt-get", "bursar", "cd", "chmod", "df", "export", "git", "ls", "mkdir", "mv", "npm", "npx", "pip", "rm", "unset"}
)


class Column:
    """One column of a table.

    Attributes:
        title: what stands above it.
        is_right: its cells stand at its right edge, as numbers do.
        rank: in which order columns are left out, the highest first; one of rank 0 never is.
        least: to how many columns of the terminal its cells may be shortened; None: not at all.
        usual: the same, as long as there is another column to leave out instead.
    """

    __slots__ = ("is_right", "least", "rank", "title", "usual")

    def __init__(
        self, title: str, *, is_right: bool = False, rank: int = 0, least: int | None = None, usual: int | None = None
    ) -> None:
        self.title, self.is_right, self.rank, self.least = title, is_right, rank, least
        self.usual = least if usual is None else usual


def count_of(number: int, noun: str) -> str:
    """`1 task`, `2 tasks`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def columns_of(line: str) -> int:
    """How many columns of a terminal it takes; styles take none."""
    shown = line if _ESCAPE not in line else _without_styles(line)
    if shown.isascii() or max(shown) < _FIRST_WIDE:
        return len(shown)
    import unicodedata  # here, because few lines need it

    return len(shown) + sum(sign >= _FIRST_WIDE and unicodedata.east_asian_width(sign) in "WF" for sign in shown)


def lay_out(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    indent: int = 0,
    is_padded: bool = False,
) -> tuple[list[str], list[str]]:
    """The rows as lines, cells below each other, and the titles of the columns that are left out for want of room.

    First cells are shortened, where their column allows it; where that is not enough, columns are left out, and where
    none is left that may be, cells are shortened further.

    Args:
        rows: one cell for each column; a head is a row as any other.
        width: in columns of the terminal; None for any.
        is_padded: the lines are equally wide, for something to stand behind them.
    """
    widths = [max((columns_of(row[at]) for row in rows), default=0) for at in range(len(columns))]
    kept = list(range(len(columns)))
    while width is not None and (lack := indent + _sum(widths, kept) - width) > 0:
        droppable = [at for at in kept if columns[at].rank]
        limits = [column.usual if droppable else column.least for column in columns]
        if not droppable or lack <= sum(_spare(limits[at], widths[at]) for at in kept):
            _shorten(limits, widths, kept, lack)
            break
        kept.remove(max(droppable, key=lambda at: columns[at].rank))
    lines = [" " * indent + "  ".join(_cell(columns[at], row[at], widths[at]) for at in kept) for row in rows]
    left_out = [column.title for at, column in enumerate(columns) if at not in kept]
    return lines if is_padded else [line.rstrip() for line in lines], left_out


def say_left_out(titles: Sequence[str]) -> str:
    """What is said below a table that lacks columns; empty where it lacks none."""
    return f"(no room for: {', '.join(titles)})\n" if titles else ""


def shorten(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis."""
    if columns_of(text) <= width:
        return text
    while text and columns_of(text) > width - 1:
        text = text[:-1]
    return f"{text}…"


def fold_words(text: str, width: int) -> str:
    """The text with lines that are wider broken between their parts, or else between words.

    Parts are what two spaces or ` · ` stand between. A word, a number with its unit, a command in backquotes, and one
    that ends a line after a colon or an arrow, stay whole, so that they can be copied. Lines of JSON, and hints that
    are nothing but a command, are not touched.
    """
    width = max(width, _LEAST_WIDTH)
    return "\n".join(
        line if len(line) > _LONGEST or columns_of(line) <= width else _fold(line, width) for line in text.split("\n")
    )


def _fold(line: str, width: int) -> str:
    bare = line.lstrip(" ")
    if bare.startswith(_DATA) or (bare.startswith(_ADVICE) and _is_command(bare.partition(" ")[2])):
        return line
    indent = len(line) - len(bare)
    pieces = list(_pieces(bare))
    hang = _hang(pieces, indent, width)
    lines, place = [" " * indent], indent
    for number, (gap, piece) in enumerate(pieces):
        size = columns_of(piece)
        is_title = number == 1 and 2 * (place + len(gap)) <= width
        if number and gap.isspace() and not is_title and place + columns_of(gap) + size > width >= place + 2 + size:
            gap = "  "
        if number and place + columns_of(gap) + size > width and (hang + size <= width or 2 * place > width):
            lines.append(" " * hang)
            place = hang
            gap = gap.lstrip(" ")
        for at, word in enumerate(_words(piece) if place + columns_of(gap) + size > width else [piece]):
            before = " " if at else gap
            if lines[-1].strip() and place + columns_of(before) + columns_of(word) > width:
                lines.append(" " * hang)
                place, before = hang, before.lstrip(" ")
            lines[-1] += before + word
            place += columns_of(before) + columns_of(word)
    return "\n".join(lines)


def _is_command(advice: str) -> bool:
    """It is to be pasted as it stands, and no sentence."""
    first = advice.partition(" ")[0]
    return "`" not in advice and (first in _PROGRAMS or "=" in first or first.startswith("-"))


def _hang(pieces: Sequence[tuple[str, str]], indent: int, width: int) -> int:
    """Where the lines begin that go on with one: below its text, where that has a short title before it."""
    if len(pieces) == 2 and pieces[1][0].strip() == "":
        below = indent + columns_of(pieces[0][1]) + len(pieces[1][0])
        if 5 * below <= 2 * width:
            return below
    if indent >= _GOES_ON:
        return min(indent, width // 3)
    return min(indent + (2 if len(pieces) == 1 else 4), width // 3)


def _pieces(line: str) -> Iterator[tuple[str, str]]:
    """What stands between wide gaps and dots, each with what is before it; an arrow belongs to what it points to."""
    begin, gap, at = 0, "", 0
    while at < len(line):
        size = len(_DOT) if line.startswith(_DOT, at) else _spaces(line, at)
        if size < 2 or line.endswith(_ARROW, 0, at) or line.count("`", begin, at) % 2:
            at += max(1, size)
            continue
        yield gap, line[begin:at]
        gap, begin = line[at : at + size], at + size
        at = begin
    yield gap, line[begin:]


def _spaces(line: str, at: int) -> int:
    end = at
    while end < len(line) and line[end] == " ":
        end += 1
    return end - at


def _words(piece: str) -> Iterator[str]:
    """Words, with what must stay whole as one."""
    whole: list[str] = []
    words = piece.split(" ")
    for at, word in enumerate(words):
        before = words[at - 1] if at else ""
        is_tail = word in _COMMANDS or word.startswith("{")
        if not whole and (word == _ARROW or (is_tail and before.endswith((":", _ARROW)))):
            yield " ".join(words[at:])
            return
        whole.append(word)
        if " ".join(whole).count("`") % 2 and "`" in " ".join(words[at + 1 :]):
            continue
        if word[-1:].isdigit() and _is_unit(words[at + 1] if at + 1 < len(words) else ""):
            continue
        yield " ".join(whole)
        whole = []
    if whole:
        yield " ".join(whole)


def _is_unit(word: str) -> bool:
    """A number before it belongs to it."""
    return word.startswith("%") or word.rstrip("),;:.") in _UNITS


def _sum(widths: Sequence[int], kept: Sequence[int]) -> int:
    return sum(widths[at] for at in kept) + 2 * (len(kept) - 1)


def _spare(limit: int | None, width: int) -> int:
    return 0 if limit is None else max(0, width - limit)


def _shorten(limits: Sequence[int | None], widths: list[int], kept: Sequence[int], lack: int) -> None:
    """The widest that may be shortened are, as far as they may."""
    for _ in range(lack):
        spare = [at for at in kept if _spare(limits[at], widths[at])]
        if not spare:
            return
        widths[max(spare, key=lambda at: widths[at])] -= 1


def _cell(column: Column, text: str, width: int) -> str:
    shown = text if column.least is None else shorten(text, width)
    padding = " " * (width - columns_of(shown))
    return padding + shown if column.is_right else shown + padding


def _without_styles(line: str) -> str:
    first, *others = line.split(_ESCAPE)
    return first + "".join(part.partition("m")[2] if part.startswith("[") else part for part in others)
