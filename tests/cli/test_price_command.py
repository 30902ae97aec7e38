"""`bursar price`: what is printed, what is data, and what is said where nothing is known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Bursar

AT = ("--at", "2026-11-20")
OWN = '[[price]]\nmodel = "my-model"\ninput = "3 USD"\noutput = "15 USD"\n'


def test_the_list(bursar: Bursar, place: Path) -> None:
    (place / "bursar.toml").write_text(OWN)
    said = bursar("price", "list", *AT)
    assert said.code == 0
    lines = {line.split()[0]: line.split()[1:] for line in said.out.splitlines() if not line.startswith(" ")}
    assert lines["claude-opus-5-5"] == ["4.00", "0.20", "5.00", "8.00", "20.00", "list"]
    assert lines["my-model"] == ["3.00", "–", "–", "–", "15.00", "bursar.toml"]
    assert "USD for a million tokens on 2026-11-20" in said.err


def test_prices_are_dated(bursar: Bursar) -> None:
    """The long context of this model had a price of its own until it was taken off the list."""
    before = json.loads(bursar("price", "check", "claude-sonnet-4-6", "--json", "--at", "2026-02-20").out)
    after = json.loads(bursar("price", "check", "claude-sonnet-4-6", "--json", *AT).out)
    assert [tier["above_tokens"] for tier in before["price"]["long_context"]] == [200_000]
    assert after["price"]["long_context"] == []


def test_a_pattern_looks_at_every_provider(bursar: Bursar) -> None:
    said = bursar("price", "list", "haiku-4", "--json", *AT)
    models = [model["model"] for model in json.loads(said.out)["models"]]
    assert "claude-haiku-4-5" in models
    assert len(models) == len(set(models)) > 3
    assert all("haiku-4" in model for model in models)


def test_check_prices_a_call(bursar: Bursar) -> None:
    said = bursar(
        "price", "check", "claude-sonnet-4-5-20250929", "--input-tokens", "300000", "--output-tokens", "10", *AT
    )
    assert said.code == 0
    assert said.out.splitlines()[1].split() == ["claude-sonnet-4-5", "3.00", "0.30", "3.75", "6.00", "15.00", "list"]
    assert said.out.splitlines()[-1] == "such a call of 300,010 tokens: 1.8002 USD"


def test_check_as_data(bursar: Bursar) -> None:
    said = bursar("price", "check", "gpt-5", "--input-tokens", "3", "--service-tier", "flex", "--json", *AT)
    data = json.loads(said.out)
    assert data["price"]["usd_per_million_tokens"] == {
        "input_tokens": "1.25",
        "cache_read_tokens": "0.125",
        "output_tokens": "10.00",
    }
    assert data["call"]["cost_nano_usd"] == 1875
    assert (said.code, data["nearest"]) == (0, [])


def test_nothing_is_known(bursar: Bursar) -> None:
    said = bursar("price", "check", "claude-sonet-5", *AT)
    assert (said.code, said.out) == (1, "")
    assert "no price of `claude-sonet-5` is known" in said.err
    assert "claude-sonnet-5" in said.err
    data = json.loads(bursar("price", "check", "claude-sonet-5", "--json", *AT).out)
    assert (data["price"], data["call"]["cost_nano_usd"]) == (None, None)
    assert "claude-sonnet-5" in data["nearest"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["check", "opus"], "bursar price list opus"),
        (["check", "gpt-5", "--service-tier", "priority"], "for the service tier `priority`"),
        (["check", "zzzzzzzz"], "state it in bursar.toml"),
        (["check", "gpt-5", "--input-tokens", "-1"], "is not a number of tokens"),
        (["check", "gpt-5", "--at", "yesterday"], "is not a day"),
        (["list", "no-such-model"], "no model with a price has `no-such-model` in its name"),
        ([], "required"),
    ],
)
def test_what_goes_wrong_is_said(bursar: Bursar, arguments: list[str], words: str) -> None:
    said = bursar("price", *arguments)
    assert said.code in (1, 2)
    assert said.out == ""
    assert words in said.err


def test_a_wrong_price_names_the_file(bursar: Bursar, place: Path) -> None:
    (place / "bursar.toml").write_text(OWN.replace("15 USD", "15"))
    said = bursar("price", "list")
    assert said.code == 2
    assert said.err.startswith(f"error: {place / 'bursar.toml'}: price of `my-model`: output: `15` is not an amount")
