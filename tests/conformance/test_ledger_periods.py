"""Periods, countings, lanes, stops and charges as tables, run on every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.ledger import Ledger
from tests.conformance.ledgers import STORES, make_ledger, run_table

TABLES = {
    "a day begins anew, and a hold stays in the day that took it": """
        define day 100 tokens per=daily         | ok
        period day                              | 2026-03-01
        reserve a 60                            | held 60
        reserve b 41                            | denied day:41
        clock 2026-03-01T23:59:58               |
        charge b 40                             | settled 40
        charge e 1                              | settled 1
        period day                              | 2026-03-02
        balance day                             | 1 0 0
        reserve c 100                           | denied day:100
        reserve c 99                            | held 99
        extend a 61                             | denied day:1
        record a c#1 70                         | held 70 !day:101
        settle a 70                             | overrun 70
        balance day                             | 1 99 0
        settle c 10                             | settled 10
        balance day                             | 11 0 0
    """,
    "a clock that jumps back stays in the latest day": """
        define day 100 tokens per=daily         | ok
        define week 100 tokens per=weekly       | ok
        define month 100 tokens per=monthly     | ok
        clock 2026-03-31T12:00:00               |
        charge a 90                             | settled 90
        clock 2026-02-01T12:00:00               |
        period day                              | 2026-03-31
        period week                             | 2026-W14
        period month                            | 2026-03
        reserve b 11                            | denied day:11 month:11 week:11
        reserve b 10                            | held 10
        clock 2026-04-01T00:00:00               |
        balance day                             | 0 0 0
        balance week                            | 90 10 0
        balance month                           | 0 0 0
        clock 2026-04-06T00:00:00               |
        period week                             | 2026-W15
        balance week                            | 0 0 0
    """,
    "each session and each run counts for itself": """
        define s 100 tokens per=session         | ok
        define r 70 tokens per=run              | ok
        reserve a 60 session=one run=x          | held 60
        reserve b 60 session=one run=y          | denied s:60
        reserve b 60 session=two run=x          | denied r:60
        reserve b 60 session=two run=y          | held 60
        period s                                | two
        reserve c 41 session=one run=z          | denied s:41
        reserve c 40 session=one run=z          | held 40
        reserve d 71                            | denied r:71
        reserve e 101 task=t                    | denied r:101 s:101
        reserve e 70 task=t                     | held 70
        reserve f 1 task=t                      | denied r:1
        balance s                               | 0 70 0
        forfeit_open session=one                | a: forfeited 60 unknown=60, c: forfeited 40 unknown=40
        forfeit_open session=one                | none
        forfeit_open session=three              | none
        reserve g 1 session=one                 | denied r:1 s:1
    """,
    "a window opens at its first charge and lasts its length": """
        define w 100 tokens per=5h at=80          | ok
        period w                                | not open
        reserve a 101                           | denied w:101
        period w                                | not open
        clock 2026-03-01T10:00:00               |
        charge a 90                             | settled 90 !w:80
        period w                                | 2026-03-01T10:00:01.000000Z
        clock 2026-03-01T15:00:00               |
        period w                                | not open
        clock 2026-03-01T14:59:57               |
        reserve b 11                            | denied w:11
        clock 2026-03-01T14:59:59               |
        reserve b 10                            | held 10
        clock 2026-03-01T15:00:00               |
        reserve c 100                           | held 100
        period w                                | 2026-03-01T15:00:01.000000Z
        settle b 10                             | settled 10
        balance w                               | 0 100 0
        clock 2026-03-01T01:00:00               |
        reserve d 1                             | denied w:1
        clock 2026-03-01T20:00:01               |
        charge d 85                             | settled 85 !w:80
    """,
    "a threshold fires anew in a new period, and once in each": """
        define day 100 tokens per=daily at=50,80  | ok
        charge a 90                               | settled 90 !day:80
        charge b 5                                | settled 5
        clock 2026-03-02T00:00:00                 |
        charge c 50                               | settled 50 !day:50
        charge d 49                               | settled 49 !day:80
        charge e 1                                | settled 1
        charge f 1                                | overrun 1 !day:101
        clock 2026-03-01T00:00:00                 |
        charge g 1                                | overrun 1
    """,
    "days are counted where the budget lives": """
        define utc 10 tokens per=daily                    | ok
        define ber 10 tokens per=daily zone=Europe/Berlin | ok
        define kir 10 tokens per=daily zone=Pacific/Kiritimati | ok
        clock 2026-03-29T21:59:00                         |
        period utc                                        | 2026-03-29
        period ber                                        | 2026-03-29
        period kir                                        | 2026-03-30
        charge a 10                                       | settled 10
        reserve b 1                                       | denied ber:1 kir:1 utc:1
        clock 2026-03-29T22:00:00                         |
        reserve b 1                                       | denied kir:1 utc:1
        clock 2026-03-30T09:59:00                         |
        reserve b 1                                       | denied kir:1
        clock 2026-03-30T10:00:00                         |
        reserve b 10                                      | held 10
        define ber 10 tokens per=daily zone=Europe/Paris  | KeyReused
        define ber 10 tokens per=weekly zone=Europe/Berlin | KeyReused
        define ber 10 tokens per=daily                    | KeyReused
        define ber 9 tokens per=daily zone=Europe/Berlin  | ok
        define utc 10 tokens per=daily zone=UTC           | ok
        define x 10 tokens per=daily zone=Mars/Phobos     | UserError
        define x 10 tokens per=daily zone=../../etc       | UserError
        define x 10 tokens per=session zone=Europe/Paris  | UserError
        define x 10 tokens per=5h zone=Europe/Paris       | UserError
        define x 10 tokens per=hourly                     | UserError
        define x 10 tokens per=0h                         | UserError
        define x 10 tokens per=367d                       | UserError
    """,
    "a budget that stops early may not reach its stop": """
        define run 200000 tokens run=r stop=95 at=80,90,95 | ok
        reserve a 160000                        | held 160000
        reserve b 30000                         | denied run:30000
        reserve b 29999                         | held 29999
        reserve c 1                             | denied run:1
        settle b 29999                          | settled 29999
        settle a 160000                         | settled 160000 !run:90
        charge c 1                              | settled 1 !run:95
        define run 200000 tokens run=r stop=95 at=80,90,95 | frozen
        charge d 10000                          | settled 10000
        charge e 1                              | overrun 1 !run:101
        define run 200000 tokens run=r stop=101 | UserError
        define run 200000 tokens run=r stop=0   | UserError
        define all 1 tokens stop=95             | ok
        reserve f 1 run=q                       | denied all:1
    """,
    "fresh and output tokens have budgets of their own": """
        define run 1000 tokens run=r            | ok
        define fresh 100 tokens counts=fresh    | ok
        define out 30 tokens counts=output      | ok
        reserve a 101                           | denied fresh:101 out:101
        reserve a 900~100~31                    | denied out:31
        reserve a 900~101~30                    | denied fresh:101
        reserve a 900~90~20                     | held 900
        balance fresh                           | 0 90 0
        balance out                             | 0 20 0
        record a c#1 500~50~10                  | held 900
        balance run                             | 0 900 500
        balance fresh                           | 0 90 50
        balance out                             | 0 20 10
        extend a 950~120~20                     | denied fresh:30
        extend a 950~95~25                      | held 950
        record a d#1 400~60~5                   | held 950 !fresh:101
        balance fresh                           | 0 110 110
        settle a 900~109~15                     | StoreError
        settle a 900~110~14                     | StoreError
        settle a 900                            | overrun 900
        balance run                             | 900 0 0
        balance fresh                           | 110 0 0
        balance out                             | 15 0 0
        reserve b 1~0~0                         | denied fresh:0
        define fresh 100 tokens                 | KeyReused
        define fresh 100 tokens counts=output   | KeyReused
        define usd 5 usd counts=fresh           | UserError
        reserve c 5~6                           | UserError
        reserve c 5~2~3                         | UserError
        reserve c 5~-1                          | UserError
        define fresh 200 tokens counts=fresh    | ok
        charge c 100~10~5                       | settled 100
        balance fresh                           | 120 0 0
        charge d 5                              | overrun 5 !run:101
        balance fresh                           | 125 0 0
        balance out                             | 25 0 0
    """,
    "all sides shrink together": """
        define fresh 50 tokens counts=fresh     | ok
        reserve a 1000~100~20 min=501           | denied fresh:51
        reserve a 1000~100~20 min=1             | held 500
        balance fresh                           | 0 50 0
        settle a 500~50~10                      | settled 500
        balance fresh                           | 50 0 0
    """,
    "dollars of a subscription are left out, and said to be": """
        define usd 100 usd run=r at=50                    | ok
        define run 1000 tokens run=r                      | ok
        reserve a 500/5000 run=r lane=subscription        | held 500/5000
        reserve b 500/101 run=r lane=api                  | denied usd:101
        reserve b 501/100 run=r lane=api                  | denied run:501
        reserve c 100 run=r lane=subscription             | held 100
        reserve d 100 run=r lane=unknown                  | denied usd:?
        reserve d 100/101 run=r                           | denied usd:101
        left_out usd                                      | 0 2
        balance usd                                       | 0 0 0
        balance run                                       | 0 600 0
        release c                                         | released 0/0
        left_out usd                                      | 0 1
        record a c#1 10/9999                              | held 500/9999
        settle a 500/9999                                 | overrun 500/9999
        balance usd                                       | 0 0 0
        left_out usd                                      | 0 1
        reserve e 400/60 run=r lane=api                   | held 400/60
        settle e 400/60                                   | settled 400/60 !usd:50
        charge f 1/70 run=r lane=subscription             | settled 1/70
        balance usd                                       | 60 0 0
        left_out usd                                      | 0 2
        reserve g 1/1 run=r lane=subscripton              | UserError
        charge g 1/1 run=r lane=API                       | UserError
        define x 1 usd lane=free                          | UserError
        define x 1 usd lane=api                           | ok
    """,
    "an unknown price passes where the budget allows it": """
        define usd 100 usd run=r allow          | ok
        reserve a 10                            | held 10
        record a c#1 10/40                      | held 10
        record a d#1 5                          | held 15
        balance usd                             | 0 40 40
        left_out usd                            | 1 0
        extend a 20                             | held 20
        settle a 15                             | settled 15
        balance usd                             | 40 0 0
        left_out usd                            | 1 0
        reserve b 5/61                          | denied usd:61
        reserve b 5/60                          | held 5/60
        reserve c 5                             | denied usd:?
        define usd 100 usd run=r                | ok
        settle b 5/1                            | settled 5/1
        reserve c 5                             | denied usd:?
        charge d 5                              | settled 5
        left_out usd                            | 2 0
    """,
    "what happened is charged, past every limit": """
        define run 100 tokens run=r at=80       | ok
        define usd 50 usd warn                  | ok
        charge a 70/60                          | settled 70/60 !usd:101
        charge a 70/60                          | settled 70/60
        charge a 70/61                          | KeyReused
        charge a 70                             | KeyReused
        charge a 70/60 run=r                    | KeyReused
        charge a 70/60 call=c#1                 | KeyReused
        reserve a 70/60                         | KeyReused
        settle a 70/60                          | KeyReused
        release a                               | KeyReused
        forfeit a                               | KeyReused
        record a c#1 5                          | StoreError
        extend a 80                             | StoreError
        credit a 5/5                            | StoreError
        reserve b 31/0                          | denied run:31
        reserve b 30/0                          | held 30/0
        charge b 1                              | KeyReused
        charge c 9/0 call=c#1                   | overrun 9/0
        charge c 9/0 call=c#2                   | KeyReused
        charge c 9/0 call=c#1                   | overrun 9/0
        balance run                             | 79 30 0
        charge d 1/0                            | overrun 1/0 !run:80
        charge e 0                              | overrun 0
        charge f -1                             | UserError
        charge g 9223372036854775808            | UserError
        charge g 9223372036854775807            | StoreError
        charge g 1 run=                         | UserError
        release b                               | released 0/0
        charge g 20/0                           | settled 20/0
        charge h 1/0                            | overrun 1/0 !run:101
    """,
}


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("name", TABLES)
def test_the_law_of_periods_holds(ledger: Ledger, name: str) -> None:
    run_table(ledger, TABLES[name])


def test_balances_of_a_reservation_are_those_that_took_it(ledger: Ledger) -> None:
    """Whatever day it is by now, and whose session was there last."""
    table = """
        define day 100 tokens per=daily         | ok
        define each 100 tokens per=session      | ok
        define money 5 usd                      | ok
        reserve a 60/3 session=one lane=subscription | held 60/3
        clock 2026-03-02T00:00:00               |
        charge b 40/1 session=two               | settled 40/1
        settle a 110/3                          | overrun 110/3 !day:101 !each:101
    """
    run_table(ledger, table)
    found = [(each.budget.name, each.period_id, each.spent) for each in ledger.balances_of_reservation("a")]
    assert found == [("day", "2026-03-01", 110), ("each", "one", 110)]
    assert ledger.balances_of_reservation("c") == []
