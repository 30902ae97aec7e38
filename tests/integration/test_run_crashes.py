"""kill −9 at a known point, of one process or of all: no agent unseen, no money lost, nothing done twice."""

from __future__ import annotations

import os
import signal
import sqlite3

import pytest

from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    CALL_TOKENS,
    Command,
    Process,
    Project,
    parallel,
    plan,
    script,
    shell,
    task,
    wait_for_exit,
    write,
)

HOLD = 50_000
ALL = ["feat(08-02): One", "feat(08-02): Two", "docs(08-02): Add summary"]


def at_the_gate(make_project: MakeProject, *arguments: str) -> tuple[Project, Command]:
    """Task 1 stands at the gate in its first call; task 2 waits for it."""
    text = plan(task("One"), task("Two"))
    project = make_project(text, script({1: [write("one.txt", wait_for="gate")], 2: [write("two.txt")]}))
    run = project.start_run("--budget", "500k tokens", *arguments)
    assert project.server.wait_until_reached("gate")
    return project, run


def kill_processes(processes: list[Process]) -> None:
    for each in processes:
        os.kill(each.pid, signal.SIGKILL)
    for each in processes:
        wait_for_exit(each.pid)


def assert_done(project: Project, run: Command, *, calls: tuple[int, int]) -> None:
    """Everything is merged once, with no more calls than these, and the books cover the bill."""
    ended = run.end()
    assert ended.code == 0, ended.err
    assert project.subjects == ALL
    assert (project.calls_of(1), project.calls_of(2)) == calls
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def charged_for_first_attempts(project: Project) -> list[int]:
    """Tokens, what is unknown included, task by task."""
    first = [task["attempts"][0] for task in project.report["tasks"]]
    return [each["metered_tokens"] + each["unknown_outcome_tokens"] for each in first]


def test_conductor_dies_and_its_agent_is_adopted(make_project: MakeProject) -> None:
    project, run = at_the_gate(make_project)
    run.kill()
    (agent,) = project.agents
    assert '"state": "interrupted"' in project.bursar("status", "--json").out
    again = project.start_run()
    again.wait_until_said("1  One · claude-sonnet-4-5 · goes on by itself")
    assert project.agents == [agent]
    project.server.open_gate("gate")
    assert_done(project, again, calls=(2, 2))
    assert project.charged == project.bill


def test_conductor_dies_and_its_agent_ends_alone(make_project: MakeProject) -> None:
    """The supervisor has metered and settled it; the next run verifies and merges, for nothing."""
    project, run = at_the_gate(make_project)
    supervisor = project.supervisor_of("1")
    run.kill()
    project.server.open_gate("gate")
    wait_for_exit(supervisor)
    assert project.bill == 2 * CALL_TOKENS
    project.assert_gone()
    assert_done(project, project.start_run(), calls=(2, 2))
    assert project.charged == project.bill


def test_conductor_dies_and_the_adopted_agent_can_be_stopped(make_project: MakeProject) -> None:
    project, run = at_the_gate(make_project)
    run.kill()
    again = project.start_run()
    again.wait_until_said("goes on by itself")
    again.send(signal.SIGINT)
    ended = again.end()
    assert ended.code == 130
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_budget_holds_without_a_conductor(make_project: MakeProject) -> None:
    """The supervisor alone stops the agent at the limit."""
    loop = [shell("true", wait_for="gate" if n == 0 else None, delay_seconds=0.1) for n in range(50)]
    project = make_project(plan(task("One")), script({1: loop}))
    run = project.start_run("--budget", "10k tokens")
    assert project.server.wait_until_reached("gate")
    supervisor = project.supervisor_of("1")
    run.kill()
    project.server.open_gate("gate")
    wait_for_exit(supervisor)
    assert project.bill <= 10_000 + 2 * CALL_TOKENS
    ended = project.run()
    assert ended.code == 4
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_supervisor_dies(make_project: MakeProject) -> None:
    """Its agent dies with it; nobody knows what it spent, so what was held is charged; a resume does the task again."""
    project, run = at_the_gate(make_project)
    (agent,) = project.agents
    os.kill(project.supervisor_of("1"), signal.SIGKILL)
    wait_for_exit(agent.pid)
    ended = run.end()
    assert ended.code == 5
    assert f"charged for unknown outcomes: {HOLD - ended.metered:,} tokens, on top of what was metered\n" in ended.out
    assert "its supervisor died; what was held is charged" in ended.err
    assert project.charged == HOLD
    assert project.states == {"1": "pending", "2": "pending"}
    project.assert_tidy()
    project.server.open_gate("gate")
    assert_done(project, project.start("resume", "--trust"), calls=(3, 2))


def test_supervisor_dies_and_the_tool_of_its_agent_too(make_project: MakeProject) -> None:
    """The agent's tool ran in a session of its own; the spawner is handed it, and ends it."""
    begun = shell('echo > "$HOME/fifo"; exec sleep 600')
    project = make_project(plan(task("One")), script({1: [begun]}))
    fifo = project.folder / "home" / "fifo"
    os.mkfifo(fifo)
    run = project.start_run()
    fifo.read_bytes()
    processes = project.agents
    assert len(processes) >= 2
    os.kill(project.supervisor_of("1"), signal.SIGKILL)
    for each in processes:
        wait_for_exit(each.pid)
    assert run.end().code == 5
    project.assert_tidy()


def test_a_ledger_that_breaks_ends_the_run_and_what_was_merged_is_brought_home(make_project: MakeProject) -> None:
    text = plan(parallel("One"), parallel("Two"))
    project = make_project(text, script({1: [write("one.txt")], 2: [write("two.txt", wait_for="gate")]}))
    run = project.start_run()
    run.wait_until_said("✓ 1")
    with sqlite3.connect(project.state / "ledger.db") as connection:
        connection.execute("ALTER TABLE alerts RENAME TO lost")
    ended = run.end()
    assert ended.code == 6, ended.err
    assert "no such table" in ended.err
    assert "nothing of it is lost, and this goes on with it: bursar resume " in ended.err
    assert '"state": "interrupted"' in project.bursar("status", "--json").out
    assert project.subjects == ALL[:1]
    assert project.git("status", "--porcelain") == ""
    project.assert_gone()


def test_spawner_dies(make_project: MakeProject) -> None:
    """Supervisors and agents go on; what comes later gets a new spawner."""
    project, run = at_the_gate(make_project)
    spawner = project.spawner
    os.kill(spawner.pid, signal.SIGKILL)
    wait_for_exit(spawner.pid)
    assert len(project.agents) == 1
    project.server.open_gate("gate")
    assert_done(project, run, calls=(2, 2))


def test_agent_dies(make_project: MakeProject) -> None:
    """That is a failure of the agent, and the call in flight is charged at its bound."""
    project, run = at_the_gate(make_project)
    (agent,) = project.agents
    os.kill(agent.pid, signal.SIGKILL)
    ended = run.end()
    assert ended.code == 1
    assert project.note("1") == "the agent was killed by signal 9"
    assert ended.metered <= project.bill <= project.charged
    project.assert_tidy()


def test_everything_dies(make_project: MakeProject) -> None:
    """As when the power fails, but for the tools of agents: the next run ends those, forfeits, and finishes."""
    begun = shell('echo > "$HOME/fifo"; exec sleep 600')
    project = make_project(plan(task("One"), task("Two")), script({1: [begun], 2: [write("two.txt")]}))
    fifo = project.folder / "home" / "fifo"
    os.mkfifo(fifo)
    run = project.start_run("--budget", "500k tokens")
    fifo.read_bytes()
    agents, ours = project.agents, [each for each in project.processes() if not each.attempt]
    assert len([each for each in ours if "bursar" in each.line]) == 3
    kill_processes(ours)  # and the gits that they have running
    run.end()
    (agent,) = [each for each in agents if "scripted_agent" in each.line]
    wait_for_exit(agent.pid)
    project.server.script = script({1: [write("one.txt")], 2: [write("two.txt")]})
    fifo.unlink()
    assert_done(project, project.start_run(), calls=(3, 2))
    for each in agents:
        wait_for_exit(each.pid)
    assert charged_for_first_attempts(project) == [HOLD, 2 * CALL_TOKENS]


@pytest.mark.parametrize("command", ["run", "resume"])
def test_a_second_conductor_is_refused(make_project: MakeProject, command: str) -> None:
    project, run = at_the_gate(make_project)
    second = project.run() if command == "run" else project.bursar("resume", "--trust")
    assert (second.code, second.out) == (2, "")
    assert second.err == "error: this plan is being run by another process\n\nhint: bursar status\n"
    assert len(project.agents) == 1
    project.server.open_gate("gate")
    assert_done(project, run, calls=(2, 2))


def forget_the_lock(project: Project) -> None:
    """As when somebody has deleted its file: whoever comes next gets a new one."""
    for lock in project.state.glob("locks/*.lock"):
        lock.unlink()


def test_without_its_lock_a_conductor_that_lives_is_still_known(make_project: MakeProject) -> None:
    project, run = at_the_gate(make_project)
    forget_the_lock(project)
    second = project.bursar("resume", "--trust")
    name = project.report["run"]
    assert (second.code, second.out) == (2, "")
    assert second.err == f"error: run {name} is being run by another process\n\nhint: bursar status\n"
    project.server.open_gate("gate")
    assert_done(project, run, calls=(2, 2))


def test_a_conductor_whose_run_was_taken_over_lets_go(make_project: MakeProject) -> None:
    """Nobody could see that it lives, as where it runs on another machine; its agent is followed by the second one."""
    project, run = at_the_gate(make_project)
    forget_the_lock(project)
    with sqlite3.connect(project.state / "journal.db") as journal:
        journal.execute("UPDATE run SET conductor = '1/1/elsewhere'")
    second = project.start_run()
    second.wait_until_said("1  One · claude-sonnet-4-5 · goes on by itself")
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 5
    assert "is conducted by another process since; this one has let go of it" in ended.err
    assert_done(project, second, calls=(2, 2))
    assert project.charged == project.bill


def test_two_plans_of_one_repository_at_once(make_project: MakeProject) -> None:
    """Both may run; the second to end finds the branch moved, and keeps its work on a branch of its own."""
    other = ".planning/phases/09-more/09-01-PLAN.md"
    steps = {1: [write("one.txt", wait_for="gate")]}
    project = make_project(plan(task("One")), script(steps))
    text = plan(task("One", files="nine.txt")).replace("08-features", "09-more").replace("plan: 02", "plan: 01")
    project.commit({other: text}, "another plan")
    first = project.start_run()
    second = project.start("run", other, "--trust")
    assert all(project.server.wait_until_reached("gate") for _ in range(2))
    project.server.open_gate("gate")
    codes = (first.end().code, second.end().code)
    said = first.end().err + second.end().err
    assert 0 in codes
    assert "was not moved: new commits were made on it meanwhile" in said or codes == (0, 0)
    project.assert_books()
    assert project.git("worktree", "list").count("\n") == 0


def test_four_at_once_and_all_die(make_project: MakeProject) -> None:
    names = ("One", "Two", "Three", "Four")
    steps = {n: [write(f"{name.lower()}.txt", wait_for="gate")] for n, name in enumerate(names, 1)}
    project = make_project(plan(*map(parallel, names)), script(steps))
    run = project.start_run("--budget", "1M tokens")
    assert all(project.server.wait_until_reached("gate") for _ in names)
    agents = project.agents
    kill_processes([each for each in project.processes() if not each.attempt])
    run.end()
    for each in agents:
        wait_for_exit(each.pid)
    project.server.open_gate("gate")
    ended = project.run()
    assert ended.code == 0, ended.err
    assert charged_for_first_attempts(project) == [HOLD] * 4
    assert [project.calls_of(n) for n in range(1, 5)] == [3] * 4
    assert ended.metered <= project.bill <= project.charged
    assert sorted(project.subjects[:4]) == sorted(f"feat(08-02): {name}" for name in names)
    project.assert_tidy()


BLOCK = 'if [ -p "$HOME/fifo" ]; then echo > "$HOME/fifo"; exec sleep 600; fi'


def test_conductor_dies_during_verification(make_project: MakeProject) -> None:
    """The command goes on without it; the next run ends it before it verifies the work again, for no token more."""
    project = make_project(
        plan(task("One", verify="sh check.sh"), task("Two")), script({1: [write("one.txt")], 2: [write("two.txt")]})
    )
    project.commit({"check.sh": BLOCK}, "a check")
    fifo = project.folder / "home" / "fifo"
    os.mkfifo(fifo)
    run = project.start_run()
    fifo.read_bytes()
    fifo.unlink()
    left = [each for each in project.agents if "sleep" in each.line or "check.sh" in each.line]
    assert left
    run.kill()
    ended = project.run()
    assert ended.code == 0, ended.err
    for each in left:
        wait_for_exit(each.pid)
    assert ended.metered == project.bill == project.charged == 4 * CALL_TOKENS
    project.assert_tidy()


def test_what_a_verify_command_leaves_running_is_gone(make_project: MakeProject) -> None:
    """A server that a test starts in a session of its own, say."""
    check = "setsid sleep 600 >/dev/null 2>&1 &amp; true"
    project = make_project(plan(task("One", verify=check)), script({1: [write("one.txt")]}))
    assert project.run().code == 0
    project.assert_tidy()


def test_conductor_dies_after_the_summary_was_committed(make_project: MakeProject) -> None:
    """Nothing is left to do but to move the branch: the summary is not committed twice.

    The moment is produced as it is after such a crash: the run's ref is ahead of the branch, the run is not ended.
    """
    project = make_project(plan(task("One")), script({1: [write("one.txt", wait_for="gate")]}))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    project.commit({"mine.txt": "mine\n"}, "my own work")
    project.server.open_gate("gate")
    assert run.end().code == 0
    name = project.report["run"]
    project.git("reset", "--quiet", "--hard", "HEAD~1")
    project.git("branch", "--quiet", "-D", f"bursar/{name}/merged")
    with sqlite3.connect(project.state / "journal.db") as journal:
        journal.execute("UPDATE run SET state = 'running'")
    journal.close()
    ended = project.run()
    assert ended.code == 0, ended.err
    assert project.subjects == ["feat(08-02): One", "docs(08-02): Add summary"]
    assert project.bill == 2 * CALL_TOKENS
    project.assert_tidy()
