"""`[parallel]` in bursar.toml, the user's file and the environment: which goes before, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from bursar.config import ParallelTable, load_settings, read_parallel, variable_of_parallel
from bursar.errors import UserError


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(tmp_path / "config")}


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"[parallel]\n{text}\n")
    return path


def test_defaults(tmp_path: Path, environment: dict[str, str]) -> None:
    read = read_parallel(tmp_path, environment)
    assert read.table == ParallelTable(max_workers=2, min_token_budget_per_phase=50_000, fallback_to_sequential=True)
    assert set(read.sources.values()) == {"default"}
    assert list(read.sources) == ["max_workers", "min_token_budget_per_phase", "fallback_to_sequential"]


def test_the_later_goes_before_the_earlier_key_by_key(tmp_path: Path, environment: dict[str, str]) -> None:
    project = write(
        tmp_path / "bursar.toml", "max_workers = 3\nmin_token_budget_per_phase = 1\nfallback_to_sequential = false"
    )
    user = write(tmp_path / "config/bursar/bursar.toml", "max_workers = 4\nmin_token_budget_per_phase = 2")
    environment["BURSAR_MAX_WORKERS"] = "5"
    read = read_parallel(tmp_path, environment)
    assert read.table == ParallelTable(max_workers=5, min_token_budget_per_phase=2, fallback_to_sequential=False)
    assert read.sources == {
        "max_workers": "BURSAR_MAX_WORKERS",
        "min_token_budget_per_phase": str(user),
        "fallback_to_sequential": str(project),
    }
    assert load_settings(tmp_path, environment).parallel == read.table


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("max_workers", " 64 ", 64),
        ("min_token_budget_per_phase", "1", 1),
        ("fallback_to_sequential", "FALSE", False),
        ("fallback_to_sequential", "yes", True),
    ],
)
def test_variables(tmp_path: Path, environment: dict[str, str], key: str, text: str, value: object) -> None:
    environment[variable_of_parallel(key)] = text
    assert getattr(read_parallel(tmp_path, environment).table, key) == value


@pytest.mark.parametrize(
    ("variable", "text", "problem"),
    [
        ("BURSAR_MAX_WORKERS", "0", "must be a whole number from 1 to 64, not '0'"),
        ("BURSAR_MAX_WORKERS", "65", "must be a whole number from 1 to 64, not '65'"),
        ("BURSAR_MAX_WORKERS", "two", "must be a whole number from 1 to 64, not 'two'"),
        ("BURSAR_MAX_WORKERS", "²", "must be a whole number from 1 to 64, not '²'"),
        ("BURSAR_MIN_TOKEN_BUDGET_PER_PHASE", "-1", f"must be a whole number from 1 to {2**63 - 1}, not '-1'"),
        ("BURSAR_FALLBACK_TO_SEQUENTIAL", "maybe", "must be true or false, not 'maybe'"),
    ],
)
def test_variables_that_are_refused(
    tmp_path: Path, environment: dict[str, str], variable: str, text: str, problem: str
) -> None:
    environment[variable] = text
    for read in (read_parallel, load_settings):
        with pytest.raises(UserError) as refused:
            read(tmp_path, environment)
        assert refused.value.message == f"{variable} {problem}"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("max_workers = 0", "parallel.max_workers must be from 1 to 64, not 0"),
        ("max_workers = 65", "parallel.max_workers must be from 1 to 64, not 65"),
        ("min_token_budget_per_phase = 0", f"parallel.min_token_budget_per_phase must be from 1 to {2**63 - 1}, not 0"),
        ('max_workers = "2"', "Expected `int`, got `str`"),
        ("fallback_to_sequential = 1", "Expected `bool`, got `int`"),
        ("workers = 2", "unknown field `workers`"),
    ],
)
def test_values_that_are_refused(tmp_path: Path, environment: dict[str, str], text: str, problem: str) -> None:
    path = write(tmp_path / "bursar.toml", text)
    for read in (read_parallel, load_settings):
        with pytest.raises(UserError) as refused:
            read(tmp_path, environment)
        assert refused.value.message.startswith(f"{path}: ")
        assert problem in refused.value.message


def test_a_table_that_is_none(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "bursar.toml").write_text("parallel = 2\n")
    with pytest.raises(UserError, match="parallel: Expected `object`, got `int`"):
        read_parallel(tmp_path, environment)
