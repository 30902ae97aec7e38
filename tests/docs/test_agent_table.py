"""The table of docs/agents.md: written anew it keeps the words above it; it is of the versions that are pinned."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from bursar.config import Settings, build_agent
from bursar.testing.agent_install import PINNED
from tests.conformance.agent_table import ROOT, SUITE, TARGET, render_table, with_table

REPORT = """
<testsuite>
  <testcase name="test_success[claude]">
    <properties><property name="agent_cell" value="success|exact"/></properties>
  </testcase>
  <testcase name="test_success[codex]"><failure/></testcase>
  <testcase name="test_term[gemini]"><skipped/></testcase>
</testsuite>
"""


def test_what_stands_above_the_table_stays() -> None:
    page = TARGET.read_text(encoding="utf-8")
    prose, _, _ = page.partition("| case |")
    assert with_table(page, "| case | new |\n") == prose + "| case | new |\n"
    assert "written by `make agents`" in prose


def test_what_did_not_pass_is_named() -> None:
    table = render_table(ElementTree.fromstring(REPORT).iter("testcase"))
    assert table.splitlines()[2] == "| success | exact | – | – | – |"
    assert "Not passed with codex: success (failure)." in table
    assert "Not passed with gemini: term (skipped)." in table


def test_the_page_is_of_the_pinned_versions_and_has_every_case_of_the_suite() -> None:
    page = TARGET.read_text(encoding="utf-8")
    head = next(line for line in page.splitlines() if line.startswith("| case |"))
    assert head == " | ".join(("| case", *(f"{cli.name} {cli.version}" for cli in PINNED.values()))) + " |"
    sources = "".join((ROOT / name).read_text(encoding="utf-8") for name in SUITE)
    cases = re.findall(r'\bcell\(f?"([^"{]+)[^"]*", ', sources)
    assert len(cases) > 15
    assert [case for case in cases if f"| {case}" not in page and f"{case} |" not in page] == []
    assert "Not passed" not in page


def test_what_was_tried_is_what_is_pinned() -> None:
    """The doctor, each README and the installer of the suite say the same version."""
    for name, cli in PINNED.items():
        page = (ROOT / "src/bursar/agents" / name / "README.md").read_text(encoding="utf-8")
        condition = build_agent(Settings(), name).examine({})
        assert (condition.tried_version, condition.package) == (cli.version, cli.package)
        assert f"Tried: **{cli.version}** (npm `{cli.package}`" in page
