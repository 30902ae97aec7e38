"""Agents that take too much of the machine: ended as failed, with the reason."""

from __future__ import annotations

from tests.integration.conftest import MakeProject
from tests.integration.kit import parallel, plan, script, settings, shell, task, trouble, write


def limits(table: str) -> str:
    return settings() + f"[limits]\n{table}\n"


def test_too_many_processes(make_project: MakeProject) -> None:
    """They hide in sessions of their own, and outlive whoever started them."""
    many = shell("for i in $(seq 40); do setsid sleep 600 & done; echo x > one.txt")
    project = make_project(
        plan(parallel("One")), script({1: [many, write("two.txt", wait_for="never")]}), limits("processes = 20")
    )
    ended = project.run()
    assert ended.code == 1, ended.err
    assert "processes at once, where 20 are allowed" in project.note("1")
    assert project.charged >= project.bill
    project.assert_gone()
    project.assert_tidy()


def test_too_large_a_file(make_project: MakeProject) -> None:
    """The write fails, for whoever writes: the agent goes on, and what it was to make is cut off."""
    large = shell("head -c 3000000 /dev/zero > large.bin; wc -c < large.bin > one.txt")
    text = plan(
        task("One", verify='test "$(cat one.txt)" = 1000000'), task("Two", verify="head -c 2000000 /dev/zero > x")
    )
    project = make_project(text, script({1: [large], 2: [write("two.txt")]}), limits('file_size = "1 MB"'))
    ended = project.run()
    assert project.states == {"1": "merged", "2": "failed"}, ended.err
    assert "verify command failed" in project.note("2"), "it holds for verify commands, too"
    project.assert_tidy()


def test_too_much_on_disk(make_project: MakeProject) -> None:
    much = shell("for i in 1 2 3 4 5; do head -c 900000 /dev/zero > f$i; done")
    project = make_project(
        plan(parallel("One")), script({1: [much, write("a", wait_for="never")]}), limits('disk = "4 MB"')
    )
    ended = project.run()
    assert ended.code == 1, ended.err
    assert "bytes on disk, where 4,000,000 are allowed" in project.note("1")
    project.assert_tidy()


def test_too_long_a_log(make_project: MakeProject) -> None:
    """It is cut, and said; nothing of it is missing in the books."""
    steps = [trouble("huge-line=400000"), write("one.txt")]
    project = make_project(plan(parallel("One")), script({1: steps}), limits('log_size = "100 kB"'))
    ended = project.run()
    assert ended.code == 0, ended.err
    (log,) = project.state.glob("runs/*/attempts/1-1/stream.jsonl")
    assert log.stat().st_size < 101_000
    assert b'"type": "bursar_cut"' in log.read_bytes()
    assert ended.metered == project.bill
    project.assert_tidy()


def test_sizes_that_are_none(make_project: MakeProject) -> None:
    ended = make_project(plan(parallel("One")), script({}), limits('disk = "lots"')).run()
    assert ended.code == 2
    assert "limits.disk is a size like `64 MB`" in ended.err
