"""The only source of randomness in identifiers. Everything else is handed an `IdSource`."""

from __future__ import annotations

import secrets
import uuid
from typing import Protocol

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no 0 o 1 i l u: ids are read aloud and typed


class IdSource(Protocol):
    """Where new identifiers come from."""

    def new_id(self) -> str:
        """A short id, safe in file names, branch names and URLs; distinct from every other."""
        ...

    def new_uuid(self) -> str:
        """A random UUID in its usual spelling, for agents that want one as a session id."""
        ...


class RandomIds:
    """Ids from the operating system's randomness."""

    def new_id(self) -> str:
        """Eight characters out of thirty: one chance in 650 thousand millions for a given pair to clash."""
        return "".join(secrets.choice(_ALPHABET) for _ in range(8))

    def new_uuid(self) -> str:
        """A random UUID in its usual spelling."""
        return str(uuid.uuid4())
