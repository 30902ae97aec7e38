"""What pays for the phases of a roadmap: the port to the project's token session."""

from __future__ import annotations

from typing import Protocol


class Purse(Protocol):
    """A budget in tokens that phases are held and recorded in. Every method may be called again after a crash."""

    def available(self) -> int | None:
        """Tokens that can still be held; None where nothing limits them any more."""
        ...

    def held(self, run: str) -> int:
        """Tokens that are held for phases of this run."""
        ...

    def reserve(self, run: str, phase: str, tokens: int) -> bool:
        """The tokens are held for the phase until its usage is recorded, as often as it is asked; False: there is no
        room, and nothing has changed."""
        ...

    def record(self, run: str, phase: str, tokens: int) -> None:
        """So many tokens in all were used by the phase in this run; what was held for it is given back."""
        ...
