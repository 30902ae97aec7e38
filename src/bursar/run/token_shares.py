"""What a token takes of a subscription's window: learned from how percentages grew while attempts used tokens.

A whole window's percentage over the tokens that one knows of would not do: what was used on other machines is in the
one and not in the other. The growth between two tellings has little of that in it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import msgspec

SHARES_FILE = "window-shares.json"
_ENOUGH_PERCENT = 3.0  # percentages are told in whole ones: of less, most is rounding
_MOST_PERCENT = 300.0  # from here on what was long ago counts half


class _Share(msgspec.Struct):
    """How many percent came on top while so many tokens were used."""

    percent: float = 0.0
    tokens: int = 0


class TokenShares:
    """What is learned of each window, in a file that outlives the run; without a path it is forgotten."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._shares: dict[str, _Share] = {}
        with suppress(OSError, msgspec.MsgspecError):
            if path is not None:
                self._shares = msgspec.json.decode(path.read_bytes(), type=dict[str, _Share])

    def learn(self, agent: str, minutes: int, percent: float, tokens: int) -> None:
        """While attempts used so many tokens, the percentage grew by so many percent."""
        share = self._shares.setdefault(f"{agent} {minutes}", _Share())
        share.percent += percent
        share.tokens += tokens
        if share.percent > _MOST_PERCENT:
            share.percent, share.tokens = share.percent / 2, share.tokens // 2
        self._write()

    def per_token(self, agent: str, minutes: int) -> float | None:
        """Percent that a token takes; None where too little was seen to say so."""
        share = self._shares.get(f"{agent} {minutes}", _Share())
        return share.percent / share.tokens if share.percent >= _ENOUGH_PERCENT and share.tokens > 0 else None

    def _write(self) -> None:
        if self._path is None:
            return
        draft = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with suppress(OSError):
            draft.write_bytes(msgspec.json.encode(self._shares))
            os.replace(draft, self._path)
