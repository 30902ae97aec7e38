"""The price library's data without the library: what it imports takes eight times as long as the data itself.

The data is a module of plain constructor calls. It is run with constructors that only keep what they are given; where
that does not work, because a release is built otherwise, the caller has the library itself.

Source: genai-prices, `data.py` of the installed release, and `types.py` for which of several prices holds.
"""

from __future__ import annotations

import builtins
import os
from datetime import UTC, date, datetime, time
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from types import CodeType, SimpleNamespace
from typing import Any

from bursar.errors import InternalError

_PACKAGE = "genai_prices"
_UNEXPECTED = (
    ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError, OSError, SyntaxError,
    TypeError, ValueError,
)  # fmt: skip


Record = SimpleNamespace
"""What a constructor call in the data says, by field. There are ten thousand of them."""


class ModelRecord(SimpleNamespace):
    """A model, with what the library's own has of methods that are needed here."""

    prices: Any
    match: Any

    def get_prices(self, at: datetime) -> Any:
        """The price at a moment: of several, the last one whose condition holds, else the first."""
        if not isinstance(self.prices, list):
            return self.prices
        for conditional in reversed(self.prices):
            if _holds(getattr(conditional, "constraint", None), at.astimezone(UTC)):
                return conditional.prices
        return self.prices[0].prices


class PriceRecord(SimpleNamespace):
    """A price, in which what is not said is None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


def data_path() -> str:
    """Where the data of the installed release is.

    Raises:
        InternalError: it is not installed.
    """
    spec = find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise InternalError(f"{_PACKAGE} is not installed")
    return os.path.join(spec.submodule_search_locations[0], "data.py")


def data_stamp() -> str:
    """Another text for other data; quicker than asking for the version."""
    status = os.stat(data_path())
    return f"{status.st_size}-{status.st_mtime_ns}"


class _Enough(Exception):
    """The provider that is wanted is there."""


def read_providers(only: str = "") -> list[Any]:
    """Every provider of the installed release, as records; or the one with the id `only`, and no record of a later one.

    Raises:
        InternalError: the release has no such data.
    """
    name = f"{_PACKAGE}.data"
    try:
        code = SourceFileLoader(name, data_path()).get_code(name)
        assert code is not None
        found: list[Any] = []
        load = _importer(code, _provider_that_ends_it(only, found)) if only else _importer(code)
        values: dict[str, Any] = {"__name__": name, "__builtins__": {**vars(builtins), "__import__": load}}
        try:
            exec(code, values)
        except _Enough:
            return found
        providers = [] if only else values["providers"]
        assert isinstance(providers, list)
        return providers
    except _UNEXPECTED as error:
        raise InternalError(f"the data of {_PACKAGE} is not as expected: {error}") from error


def _provider_that_ends_it(wanted: str, found: list[Any]) -> Any:
    """A constructor of providers that goes no further than the wanted one."""

    def make(**fields: Any) -> Any:
        if fields["id"] != wanted:
            return None
        found.append(Record(**fields))
        raise _Enough

    return make


def _importer(code: CodeType, make_provider: Any = Record) -> Any:
    """An `__import__` to which the package's `types` is a record for each name that the code uses."""
    kinds = {name: Record for name in code.co_names if name[0].isupper() and name != "Decimal"}
    kinds |= {"ModelInfo": ModelRecord, "ModelPrice": PriceRecord, "Provider": make_provider}

    def load(name: str, global_: Any = None, local: Any = None, names: Any = (), level: int = 0) -> Any:
        if level:
            return SimpleNamespace(__all__=list(kinds), **kinds)
        return __import__(name, global_, local, names, level)

    return load


def _holds(constraint: Any, at: datetime) -> bool:
    if constraint is None:
        return True
    if hasattr(constraint, "start_date"):
        start: date = constraint.start_date
        return at.date() >= start
    begin, end, now = _utc(constraint.start_time), _utc(constraint.end_time), at.time()
    return begin <= now < end if begin <= end else now >= begin or now < end


def _utc(clock_time: time) -> time:
    if clock_time.tzinfo is None:
        return clock_time
    return datetime.combine(date(1970, 1, 1), clock_time).astimezone(UTC).time()
