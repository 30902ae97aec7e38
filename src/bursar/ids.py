"""The only source of randomness in identifiers. Everything else is handed an `IdSource`."""

from __future__ import annotations

import os
from typing import Protocol

_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"  # no 0 o 1 i l u: ids are read aloud and typed
_LENGTH = 8


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
        number, characters = int.from_bytes(os.urandom(16)), []  # so many bits that no character is favoured
        for _ in range(_LENGTH):
            number, place = divmod(number, len(_ALPHABET))
            characters.append(_ALPHABET[place])
        return "".join(characters)

    def new_uuid(self) -> str:
        """A random UUID in its usual spelling."""
        import uuid  # the quick commands make no UUIDs, and should not pay for it

        return str(uuid.uuid4())
