"""The law of the ledger as tables, run on every store. Refusals outnumber grants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bursar.ledger import Ledger
from tests.conformance.ledgers import STORES, make_ledger, run_table

BIG = 2**63 - 1

TABLES = {
    "a hold is taken once and settled once": """
        define run 100 tokens run=r     | ok
        reserve a 60                    | held 60
        balance run                     | 0 60 0
        settle a 40                     | settled 40
        balance run                     | 40 0 0
        settle a 40                     | settled 40
        settle a 41                     | KeyReused
        settle a 39                     | KeyReused
        settle a 40 unknown=1           | KeyReused
        settle a 40/0                   | KeyReused
        release a                       | KeyReused
        forfeit a                       | KeyReused
        credit a 10                     | StoreError
        extend a 70                     | StoreError
        record a c#1 5                  | StoreError
        balance run                     | 40 0 0
    """,
    "what does not fit is denied and nothing moves": """
        define run 100 tokens run=r     | ok
        reserve a 101                   | denied run:101
        reserve a 100                   | held 100
        reserve b 1                     | denied run:1
        balance run                     | 0 100 0
        settle a 99                     | settled 99
        reserve b 2                     | denied run:2
        reserve b 1                     | held 1
        reserve c 1                     | denied run:1
        settle b 1                      | settled 1
        reserve c 1                     | denied run:1
        balance run                     | 100 0 0
    """,
    "all budgets grant or none does": """
        define run 100 tokens run=r            | ok
        define task 10 tokens run=r task=t     | ok
        define other 5 tokens run=q            | ok
        reserve a 11                           | denied task:11
        balance run                            | 0 0 0
        reserve a 101                          | denied run:101 task:101
        reserve a 10                           | held 10
        reserve b 1                            | denied task:1
        reserve b 90 run=r task=u              | held 90
        reserve c 1 run=r task=v               | denied run:1
        reserve d 6 run=q                      | denied other:6
        reserve d 5 run=q                      | held 5
        balance run                            | 0 100 0
        balance task                           | 0 10 0
        balance other                          | 0 5 0
    """,
    "a budget over everything, one over nothing": """
        define all 10 tokens              | ok
        define other 1 tokens host=mars   | ok
        reserve a 11 project=p            | denied all:11
        reserve a 4 project=p             | held 4
        reserve b 7                       | denied all:7
        reserve b 6                       | held 6
        balance other                     | 0 0 0
        balance nowhere                   | none
    """,
    "without a budget everything is granted": """
        reserve a 1000000                 | held 1000000
        settle a 1000001                  | overrun 1000001
    """,
    "the same key is the same hold": """
        define run 100 tokens run=r       | ok
        reserve a 60                      | held 60
        reserve a 60                      | held 60
        balance run                       | 0 60 0
        reserve a 61                      | KeyReused
        reserve a 60/0                    | KeyReused
        reserve a 60 min=1                | KeyReused
        reserve a 60 attempt=2            | KeyReused
        reserve a 60 run=r task=u         | KeyReused
        settle a 10                       | settled 10
        reserve a 60                      | settled 10
        reserve a 61                      | KeyReused
        balance run                       | 10 0 0
    """,
    "a denial is not remembered": """
        define run 10 tokens run=r        | ok
        reserve a 11                      | denied run:11
        reserve a 12                      | denied run:12
        define run 12 tokens run=r        | ok
        reserve a 12                      | held 12
    """,
    "a minimum takes what there is": """
        define run 100 tokens run=r       | ok
        reserve a 70                      | held 70
        reserve b 60 min=31               | denied run:31
        reserve b 60 min=30               | held 30
        reserve b 60 min=30               | held 30
        reserve b 60                      | KeyReused
        reserve c 60 min=1                | denied run:1
        reserve c 60 min=0                | denied run:1
        balance run                       | 0 100 0
    """,
    "tokens and dollars shrink together": """
        define run 100 tokens run=r       | ok
        define usd 30 usd run=r           | ok
        reserve a 100/60                  | denied usd:60
        reserve a 100/60 min=51/0         | held 51/30
        balance run                       | 0 51 0
        balance usd                       | 0 30 0
        reserve b 10/1                    | denied usd:1
        reserve b 10/1 min=0              | denied usd:1
        reserve b 10/0                    | held 10/0
        balance run                       | 0 61 0
    """,
    "an unknown cost is refused under a blocking limit in dollars": """
        define usd 1000 usd run=r         | ok
        reserve a 1                       | denied usd:?
        reserve a 1 min=0                 | denied usd:?
        reserve a 1/1                     | held 1/1
        extend a 2                        | denied usd:?
        balance usd                       | 0 1 0
    """,
    "a budget that warns never stands in the way": """
        define soft 10 tokens warn run=r at=80   | ok
        define usd 5 usd warn run=r              | ok
        reserve a 100                            | held 100
        balance soft                             | 0 100 0
        balance usd                              | 0 0 0
        record a c#1 8                           | held 100 !soft:80
        settle a 50                              | settled 50 !soft:101
        reserve b 100/7                          | held 100/7
        settle b 100/7                           | settled 100/7 !usd:101
        balance usd                              | 7 0 0
        define soft 10 tokens run=r at=80        | frozen
        reserve c 1                              | denied soft:1
    """,
    "a hold grows": """
        define run 100 tokens run=r       | ok
        reserve a 10                      | held 10
        extend a 50                       | held 50
        extend a 20                       | held 50
        extend a 50                       | held 50
        extend a 101                      | denied run:51
        extend a 130 min=101              | denied run:51
        extend a 130 min=60               | held 100
        extend a 130 min=60               | held 100
        extend a 130                      | denied run:30
        extend b 10                       | StoreError
        balance run                       | 0 100 0
        settle a 100                      | settled 100
        extend a 101                      | StoreError
    """,
    "a hold grows in dollars": """
        define usd 100 usd run=r          | ok
        reserve a 10/10                   | held 10/10
        extend a 10/50                    | held 10/50
        extend a 20/50                    | held 20/50
        extend a 15/101                   | denied usd:51
        extend a 40/150 min=30/60         | held 30/100
        balance usd                       | 0 100 0
        extend a 31                       | denied usd:?
        extend a 30                       | held 30/100
    """,
    "a call that passes its hold raises it": """
        define run 100 tokens run=r                | ok
        reserve a 10                               | held 10
        record a c#1 6                             | held 10
        record a c#2 6                             | held 12
        record a c#2 6                             | held 12
        record a c#2 7                             | KeyReused
        record b c#1 1                             | StoreError
        balance run                                | 0 12 12
        reserve b 89                               | denied run:89
        settle a 11                                | StoreError
        settle a 12                                | overrun 12
        settle a 12                                | overrun 12
        balance run                                | 12 0 0
    """,
    "usage is recorded past every limit": """
        define run 100 tokens run=r at=80,95       | ok
        reserve a 100                              | held 100
        record a c#1 70                            | held 100
        record a d#1 9                             | held 100
        record a d#2 1                             | held 100 !run:80
        record a e#1 100                           | held 180 !run:101
        balance run                                | 0 180 180
        reserve b 1                                | denied run:1
        extend a 181                               | denied run:1
        settle a 180 unknown=20                    | overrun 200 unknown=20
        balance run                                | 200 0 0
        reserve b 1                                | denied run:1
    """,
    "each threshold fires once, and one jump fires the highest": """
        define run 100 tokens run=r at=50,80,90    | ok
        reserve a 85                               | held 85
        balance run                                | 0 85 0
        record a c#1 85                            | held 85 !run:80
        record a c#2 1                             | held 86
        settle a 86                                | overrun 86
        reserve b 10                               | held 10
        settle b 10                                | settled 10 !run:90
        define run 1000 tokens run=r at=50,80,90   | ok
        reserve c 800                              | held 800
        settle c 800                               | settled 800 !run:80
        reserve d 200                              | denied run:200
        reserve d 104                              | held 104
        forfeit d                                  | forfeited 104 unknown=104 !run:90
        reserve e 1                                | denied run:1
    """,
    "a release gives back what was never touched": """
        define run 100 tokens run=r       | ok
        reserve a 60                      | held 60
        release a                         | released 0/0
        release a                         | released 0/0
        settle a 0                        | KeyReused
        forfeit a                         | KeyReused
        credit a 0                        | StoreError
        record a c#1 1                    | StoreError
        balance run                       | 0 0 0
        reserve b 60                      | held 60
        record b c#1 0/0                  | held 60
        release b                         | StoreError
        record b c#2 1                    | held 60
        release b                         | StoreError
        release c                         | StoreError
        balance run                       | 0 60 1
    """,
    "what a dead owner held is charged": """
        define run 100 tokens run=r at=60          | ok
        define usd 100 usd run=r                   | ok
        reserve a 60/40                            | held 60/40
        record a c#1 10/5                          | held 60/40
        forfeit a                                  | forfeited 60/40 unknown=50/35 !run:60
        forfeit a                                  | forfeited 60/40 unknown=50/35
        settle a 10/5                              | KeyReused
        release a                                  | KeyReused
        record a c#2 1/1                           | StoreError
        balance run                                | 60 0 0
        balance usd                                | 40 0 0
        forfeit b                                  | StoreError
    """,
    "a credit lowers a forfeit once, on evidence": """
        define run 100 tokens run=r                | ok
        reserve a 60/40                            | held 60/40
        record a c#1 10/5                          | held 60/40
        credit a 20/6                              | StoreError
        forfeit a                                  | forfeited 60/40 unknown=50/35
        credit a 61/40                             | StoreError
        credit a 60/41                             | StoreError
        credit a 9/5                               | StoreError
        credit a 10/4                              | StoreError
        credit a 20                                | StoreError
        credit a 20/6 evidence=                    | UserError
        credit a 20/6                              | credited 20/6
        credit a 20/6                              | credited 20/6
        credit a 20/6 evidence=other               | KeyReused
        credit a 21/6                              | KeyReused
        settle a 20/6                              | KeyReused
        balance run                                | 20 0 0
        reserve b 81                               | denied run:81
        reserve b 80                               | held 80
    """,
    "an unknown part is charged": """
        define run 100 tokens run=r                | ok
        define usd 100 usd run=r                   | ok
        reserve a 60/40                            | held 60/40
        settle a 10/5 unknown=7/2                  | settled 17/7 unknown=7/2
        reserve b 20/20                            | held 20/20
        record b c#1 3/1                           | held 20/20
        settle b 10                                | settled 10/20 unknown=0/19
        reserve c 20/20                            | held 20/20
        settle c 10/4 unknown=3                    | settled 13/20 unknown=3/16
        balance run                                | 40 0 0
        balance usd                                | 47 0 0
    """,
    "an older attempt has nothing more to say": """
        define run 100 tokens run=r                | ok
        reserve a 10 attempt=1                     | held 10
        reserve b 10 attempt=2                     | held 10
        reserve c 10 attempt=1                     | StoreError
        reserve a 10 attempt=1                     | StoreError
        extend a 20                                | StoreError
        record a c#1 5                             | StoreError
        settle a 5                                 | StoreError
        reserve c 10 attempt=1 run=r task=u        | held 10
        reserve d 10 attempt=2 run=q task=t        | held 10
        reserve e 10 attempt=1 run=r               | held 10
        extend b 20                                | held 20
        record b c#1 5                             | held 20
        forfeit a                                  | forfeited 10 unknown=10
        settle b 6                                 | settled 6
        reserve f 10 attempt=3 run=r task=t agent=x | held 10
        settle b 6                                 | settled 6
        settle b 7                                 | KeyReused
        balance run                                | 16 30 0
    """,
    "a denied attempt raises no fence": """
        define run 10 tokens run=r                 | ok
        reserve a 10 attempt=1                     | held 10
        reserve b 10 attempt=2                     | denied run:10
        settle a 5                                 | settled 5
    """,
    "a lower limit is accepted and freezes": """
        define run 100 tokens run=r                | ok
        reserve a 60                               | held 60
        settle a 60                                | settled 60
        reserve b 20                               | held 20
        define run 70 tokens run=r                 | ok
        reserve c 1                                | denied run:1
        define run 50 tokens run=r                 | frozen
        reserve c 1                                | denied run:1
        extend b 21                                | denied run:1
        settle b 20                                | settled 20 !run:101
        define run 81 tokens run=r                 | ok
        reserve c 2                                | denied run:2
        reserve c 1                                | held 1
    """,
    "a budget is what it was first about": """
        define run 100 tokens run=r                | ok
        define run 100 tokens run=r                | ok
        define run 100 tokens run=q                | KeyReused
        define run 100 tokens                      | KeyReused
        define run 100 usd run=r                   | KeyReused
        define run 0 tokens run=r                  | UserError
        define run -1 tokens run=r                 | UserError
        define run 9223372036854775808 tokens run=r | UserError
        define run 9223372036854775807 tokens run=r | ok
        define run 100 tokens run=r at=90,80       | UserError
        define run 100 tokens run=r at=80,80       | UserError
        define run 100 tokens run=r at=0           | UserError
        define run 100 tokens run=r at=1001        | UserError
        define run 100 tokens run=                 | UserError
    """,
    "numbers that are no counts": """
        define run 100 tokens run=r                | ok
        reserve a 0                                | UserError
        reserve a -1                               | UserError
        reserve a 1/-1                             | UserError
        reserve a 9223372036854775808              | UserError
        reserve a 1/9223372036854775808            | UserError
        reserve a 10 min=11                        | UserError
        reserve a 10/5 min=1/6                     | UserError
        reserve a 10 attempt=0                     | UserError
        reserve a 10 run=                          | UserError
        reserve a 10                               | held 10
        extend a -1                                | UserError
        extend a 20 min=21                         | UserError
        record a c#0 1                             | UserError
        record a c#1 1/-1                          | UserError
        record a #1 1                              | UserError
        settle a -1                                | UserError
        settle a 1 unknown=-1                      | UserError
        settle a 9223372036854775808               | UserError
        balance run                                | 0 10 0
    """,
    "sums past 2^63 - 1 are refused as a whole": f"""
        define soft 1000 tokens warn run=r         | ok
        define run {BIG} tokens run=r              | ok
        reserve a {BIG}                            | held {BIG}
        reserve b 1                                | denied run:1
        reserve b 1 run=q                          | held 1
        record a c#1 {BIG}                         | held {BIG} !soft:101
        record a d#1 1                             | StoreError
        settle a {BIG} unknown=1                   | StoreError
        settle a {BIG}                             | settled {BIG}
        balance run                                | {BIG} 0 0
    """,
    "sums past 2^63 - 1 of one budget leave the others alone": f"""
        define all 1000 tokens warn                | ok
        define run {BIG} tokens run=r              | ok
        reserve a {BIG} run=q                      | held {BIG}
        reserve b 1                                | StoreError
        balance run                                | 0 0 0
        balance all                                | 0 {BIG} 0
    """,
    "a hold of unknown cost weighs what is metered": """
        define usd 100 usd warn run=r              | ok
        reserve a 10                               | held 10
        record a c#1 5/7                           | held 10
        balance usd                                | 0 7 7
        extend a 20/9                              | held 20/9
        balance usd                                | 0 9 7
        settle a 10/8                              | settled 10/8
        balance usd                                | 8 0 0
        reserve b 10/5                             | held 10/5
        extend b 11                                | held 11
        settle b 11                                | settled 11
        balance usd                                | 8 0 0
    """,
    "a call without a price": """
        define usd 100 usd run=r                   | ok
        reserve a 10/40                            | held 10/40
        record a c#1 5                             | held 10/40
        record a d#1 5/10                          | held 10/40
        balance usd                                | 0 40 10
        settle a 10                                | settled 10/40 unknown=0/30
        reserve b 10/0                             | held 10/0
        record b c#1 5                             | held 10/0
        settle b 5                                 | settled 5
        balance usd                                | 40 0 0
    """,
}


@pytest.fixture(params=STORES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    made = make_ledger(request.param, tmp_path)
    yield made
    made.close()


@pytest.mark.parametrize("name", TABLES)
def test_the_law_holds(ledger: Ledger, name: str) -> None:
    run_table(ledger, TABLES[name])
