"""What a rebuilding of a ledger goes by beside the damaged file, and what it tells in the end."""

from __future__ import annotations

from typing import NamedTuple

from bursar.budget import NOTHING, Amount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Evidence(NamedTuple):
    """How a reservation ended, as something beside the ledger has it.

    Attributes:
        kind: `settled`, `released` or `forfeited`.
        actual, unknown: as of `Ledger.settle`; nothing where it was not settled.
        labels: of the operation, as far as they are known.
        at: when it was written, after the ledger, as an ISO instant; '' where it may have been written before it.
        source: what to call it: a file.
    """

    key: str
    kind: str
    actual: Amount = NOTHING
    unknown: Amount = NOTHING
    labels: Mapping[str, str] = {}
    at: str = ""
    source: str = ""


class Ended(NamedTuple):
    """A hold that was open by the journal, how it has ended now, and on whose word; what the new ledger has charged."""

    key: str
    state: str
    charged: Amount
    source: str


class Charged(NamedTuple):
    """What the new ledger has charged because it was used, and no entry of it was left; `what` is a key or a budget."""

    what: str
    amount: Amount
    source: str


class Rebuilt(NamedTuple):
    """What became of a damaged ledger.

    Attributes:
        kept: how many entries are in the new journal as they were, hash and all.
        repeated: how many of those after a gap were repeated under new numbers.
        mended: numbers of entries in which one byte was damaged and is known again.
        lost: numbers of entries that could not be found, as first and last.
        is_end_known: the last entry found is the last one there was.
        ended: holds that are not open any more.
        charged: what was charged anew.
        unexplained: sentences on what could not be put right.
        damaged: where the damaged file is now; '' where there was none.
    """

    kept: int
    repeated: int
    mended: Sequence[int]
    lost: Sequence[tuple[int, int]]
    is_end_known: bool
    ended: Sequence[Ended]
    charged: Sequence[Charged]
    unexplained: Sequence[str]
    damaged: str = ""

    @property
    def is_exact(self) -> bool:
        """The new ledger is the old one: nothing was lost, and nothing had to be decided."""
        return self.is_end_known and not (self.lost or self.ended or self.charged or self.unexplained)
