"""Tables of phases: which column is which, and what each row says."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bursar.plan.roadmap_lines import Line
from bursar.plan.roadmap_marks import NUMBER, PHASE_WORD, is_status_only, planned_count, split_title, status_of
from bursar.plan.roadmap_model import PhaseStatus
from bursar.plan.roadmap_outline import Kind, Mention

_CELL_END = re.compile(r"(?<!\\)\|")
_PHASE_COLUMN = re.compile(
    r"(?:[\w.]{1,12} )?(?:phase|fase|阶段|단계)(?: ?(?:#|no\.?|nr\.?|number|id|name))?", re.IGNORECASE
)
_NUMBER_COLUMN = re.compile(r"#|n[o°r]\.?|num(?:ber)?\.?|id|dir(?:ectory)?|milestone|order", re.IGNORECASE)
_NAME_COLUMN = re.compile(r"(?:phase )?(?:name|title|nome|titel)", re.IGNORECASE)
_STATUS_COLUMN = re.compile(r"status|state|estado|läge|状态|상태", re.IGNORECASE)
_PLANS_COLUMN = re.compile(r"plans?(?: (?:complete|done|executed)d?)?|plans complete|progress", re.IGNORECASE)
_DEPENDS_COLUMN = re.compile(r"depends(?: on)?|dependenc(?:y|ies)|depende de|blocked by|beror på|依赖", re.IGNORECASE)
_ROW_OF_SOMETHING_ELSE = re.compile(
    r"plan|requirement|req\.?(?: id)?|decision|task|issue|risk|bug|feature|metric", re.IGNORECASE
)
_CELL = re.compile(
    rf"(?:\*\*|~~|__|\[|`|[^\w\s|]\ufe0f?[ \t]){{0,3}}(?:{PHASE_WORD}[ \t]*)?(?P<number>{NUMBER})[*_~`\]]{{0,6}}[ \t]*"
    r"(?:(?:[.:：]|[—–-]{1,2}[ \t]|(?<=[ \t])(?=[^\W\d_]))[*_~` \t]*(?P<name>.*))?",
    re.DOTALL,
)
_SHARE = re.compile(r"[0-9]{1,4}[ ]?/[ ]?[0-9]{1,4}")
_SEPARATOR_ROW = frozenset("|-: \t")


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which column holds what; None where there is none."""

    count: int
    number: int
    name: int | None
    status: int | None
    plans: int | None
    depends: int | None


def read_table(rows: Sequence[Line]) -> list[Mention]:
    """The phases that the rows of a table name; none where it is a table of something else."""
    columns = _columns([cell.strip("*_` ") for cell in _cells(rows[0])])
    if columns is None:
        return []
    found = (_row(row, columns) for row in rows[1:] if not set(row.text) <= _SEPARATOR_ROW)
    return [mention for mention in found if mention is not None]


def _cells(row: Line) -> list[str]:
    return [cell.strip() for cell in _CELL_END.split(row.text.strip().strip("|"))]


def _columns(header: Sequence[str]) -> _Columns | None:
    number = _number_column(header)
    if number is None:
        return None
    name = _first(header, _NAME_COLUMN)
    if name is None and number + 1 < len(header) and _PHASE_COLUMN.fullmatch(header[number + 1]):
        name = number + 1
    if _first(header, _ROW_OF_SOMETHING_ELSE) is not None:
        return _Columns(count=len(header), number=number, name=name, status=None, plans=None, depends=None)
    return _Columns(
        count=len(header),
        number=number,
        name=name,
        status=_first(header, _STATUS_COLUMN),
        plans=_first(header, _PLANS_COLUMN),
        depends=_first(header, _DEPENDS_COLUMN),
    )


def _number_column(header: Sequence[str]) -> int | None:
    """The column with the phase's number: the first, or the second after a milestone; None in other tables."""
    if _PHASE_COLUMN.fullmatch(header[0]):
        return 0
    if len(header) < 2 or not _NUMBER_COLUMN.fullmatch(header[0]) or not _PHASE_COLUMN.fullmatch(header[1]):
        return None
    return 1 if header[0].lower() == "milestone" else 0


def _first(header: Sequence[str], column: re.Pattern[str]) -> int | None:
    return next((index for index, cell in enumerate(header) if column.fullmatch(cell)), None)


def _row(row: Line, columns: _Columns) -> Mention | None:
    cells = _cells(row)
    if columns.number >= len(cells):
        return None
    match = _CELL.fullmatch(cells[columns.number][:1000])
    if match is None:
        return None
    name = match["name"] or (_cell(cells, columns.name) if columns.name is not None else "")
    title = split_title(name)
    return Mention(
        kind=Kind.TABLE,
        number=match["number"],
        offset=row.offset,
        name=title.name,
        status=PhaseStatus.DROPPED
        if cells[columns.number].startswith("~~")
        else _status(cells, columns) or title.status,
        planned_plans=_planned(cells, columns),
        depends_text=None if columns.depends is None else _cell(cells, columns.depends),
        depends_offset=row.offset,
    )


def _cell(cells: Sequence[str], column: int | None) -> str:
    return cells[column] if column is not None and column < len(cells) else ""


def _planned(cells: Sequence[str], columns: _Columns) -> int | None:
    """What the column of plans says; in a row with too few cells, the cell that is a share such as `2/3`."""
    if columns.plans is None:
        return None
    share = (planned_count(cell) for cell in cells[columns.number + 1 :] if _SHARE.fullmatch(cell))
    return planned_count(_cell(cells, columns.plans)) or next(share, None)


def _status(cells: Sequence[str], columns: _Columns) -> PhaseStatus | None:
    """What the status column says; in a row with too few cells, the cell that is a state and nothing else."""
    if columns.status is None:
        return None
    cell = _cell(cells, columns.status)
    if len(cells) >= columns.count or is_status_only(cell):
        return status_of(cell)
    return next((status_of(cell) for cell in cells[columns.number + 1 :] if is_status_only(cell)), None)
