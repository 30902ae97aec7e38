"""Tasks where a person must act: the run goes as far as it can, waits, and goes on once they are passed."""

from __future__ import annotations

import os
import pty
import select
from contextlib import suppress

from bursar.testing.script import Step
from tests.integration.conftest import MakeProject
from tests.integration.kit import (
    BURSAR,
    CALL_TOKENS,
    PATIENCE,
    PLAN,
    SUMMARY,
    Project,
    parallel,
    plan,
    script,
    task,
    write,
)

LOOK = '<task type="checkpoint:human-verify">\n  <name>Look at it</name>\n  <action>Look.</action>\n</task>\n'
STEPS = script({1: [write("one.txt")], 3: [write("two.txt")], 4: [write("apart.txt")]})


def test_checkpoint_waits_for_a_person(make_project: MakeProject) -> None:
    project = make_project(plan(task("One"), LOOK, task("Two"), parallel("Apart")), STEPS)
    ended = project.run()
    assert ended.code == 5
    run = project.report["run"]
    assert f"not started: a person must act: bursar approve {run} 2\n" in ended.err
    assert project.states == {"1": "merged", "2": "waiting", "3": "pending", "4": "merged"}
    assert not (project.repo / SUMMARY).exists()
    assert (project.run().code, project.bill) == (5, 4 * CALL_TOKENS)
    assert project.bursar("approve", run, "3").code == 2
    assert project.bursar("approve", run, "2").code == 0
    ended = project.bursar("resume", "--trust")
    assert ended.code == 0, ended.err
    assert ended.metered == project.bill == 6 * CALL_TOKENS
    assert project.states == dict.fromkeys("1234", "merged")
    project.assert_tidy()


def test_checkpoint_that_passes_by_itself(make_project: MakeProject) -> None:
    """Its type was approved beforehand, and only that type."""
    project = make_project(plan(task("One"), LOOK, task("Two"), parallel("Apart")), STEPS)
    assert project.run("--auto-approve", "decision").code == 5
    ended = project.run("--auto-approve", "human-verify")
    assert ended.code == 0, ended.err
    assert project.note("2") == "approved without a person"
    assert ended.metered == project.bill == 6 * CALL_TOKENS
    project.assert_tidy()


DECISION = (
    '<task type="checkpoint:decision" depends-on="">\n  <name>Where to keep it</name>\n'
    "  <decision>Where are loans kept?</decision>\n  <context>There are few.</context>\n  <options>\n"
    '    <option id="file"><name>A file</name><pros>simple</pros><cons>one writer</cons></option>\n'
    '    <option id="server"><name>A server</name></option>\n  </options>\n</task>\n'
)
DECIDED = {2: [write("two.txt")], 3: [write("apart.txt", wait_for="gate")]}


def decision_plan() -> str:
    return plan(DECISION, task("Two", 'depends-on="1"'), parallel("Apart"))


def test_a_decision_while_the_run_is_on(make_project: MakeProject) -> None:
    """What does not wait for it runs; the answer is taken up at once, told to who waits, and in the SUMMARY."""
    project = make_project(decision_plan(), script(DECIDED))
    run = project.start_run()
    assert project.server.wait_until_reached("gate")
    run.wait_until_said("[server] A server\n")
    said = run.err.read_text()
    run_id = said.partition("run ")[2][:8]
    assert f"a person must act: bursar answer {run_id} 1 OPTION\n" in said
    assert "      Where are loans kept?\n      There are few.\n      [file] A file (+ simple) (- one writer)\n" in said
    approved = project.bursar("approve", run_id, "1")
    assert (approved.code, "is to be decided, not approved" in approved.err) == (2, True)
    wrong = project.bursar("answer", run_id, "1", "cloud")
    assert wrong.code == 2
    assert wrong.err == (
        "error: 'cloud' is none of the options of task 1\n\n"
        f"hint: bursar answer {run_id} 1 OPTION\n  file: A file (+ simple) (- one writer)\n  server: A server\n"
    )
    given = project.bursar("answer", run_id, "1", "a", "file")
    assert given.err == "task 1 (Where to keep it) is passed with: file; the run goes on\n"
    run.wait_until_said("✓ 1  Where to keep it · answered by ")
    run.wait_until_said("✓ 2  Two")
    assert project.bursar("answer", run_id, "1", "file").code == 0
    other = project.bursar("answer", run_id, "1", "server")
    assert (other.code, "task 1 was answered 'file' by " in other.err) == (2, True)
    project.server.open_gate("gate")
    ended = run.end()
    assert ended.code == 0, ended.err
    (prompt,) = project.state.glob("runs/*/attempts/2-1/prompt.md")
    assert "## What was decided\n- Where are loans kept?: file (A file)\n" in prompt.read_text()
    (apart,) = project.state.glob("runs/*/attempts/3-1/prompt.md")
    assert "What was decided" not in apart.read_text()
    summary = (project.repo / SUMMARY).read_text()
    assert 'key-decisions:\n  - "1: Where are loans kept? file (A file)"\n' in summary
    assert "| decided: file |" in summary
    project.assert_tidy()


def test_an_answer_to_a_run_that_has_ended(make_project: MakeProject) -> None:
    project = make_project(decision_plan(), script({2: [write("two.txt")], 3: [write("apart.txt")]}))
    assert project.run().code == 5
    run_id = project.report["run"]
    given = project.bursar("answer", run_id, "1", "2")
    assert given.err == f"task 1 (Where to keep it) is passed with: server; go on with: bursar resume {run_id}\n"
    assert project.bursar("resume", "--trust").code == 0
    (prompt,) = project.state.glob("runs/*/attempts/2-1/prompt.md")
    assert "- Where are loans kept?: server (A server)" in prompt.read_text()


def test_a_checkpoint_without_a_name_is_called_by_its_type(make_project: MakeProject) -> None:
    """Also where it is skipped, and after a run that went on."""
    nameless = DECISION.replace("  <name>Where to keep it</name>\n", "").replace('""', '"1"')
    project = make_project(plan(task("One"), nameless), script({1: [Step(status=400)]}))
    for ended in (project.run(), project.bursar("resume")):
        assert ended.code == 1, ended.err
        assert "  – 2  checkpoint:decision · skipped: it depends on task 1\n" in ended.err
        assert [each["name"] for each in project.report["tasks"]] == ["One", "checkpoint:decision"]


def test_a_decision_that_nobody_is_asked_about_takes_the_first_option(make_project: MakeProject) -> None:
    project = make_project(decision_plan(), script({2: [write("two.txt")], 3: [write("apart.txt")]}))
    ended = project.run("--auto-approve", "decision")
    assert ended.code == 0, ended.err
    assert project.note("1") == "answered without a person: file"


def test_a_look_is_passed_by_a_yes_alone(make_project: MakeProject) -> None:
    project = make_project(plan(LOOK, task("Two")), script({2: [write("two.txt")]}))
    assert project.run().code == 5
    run_id = project.report["run"]
    said = project.bursar("answer", run_id, "1", "the", "colours", "are", "wrong")
    assert said.code == 2
    assert "'the colours are wrong' does not say yes" in said.err
    assert project.bursar("answer", run_id, "1", "approved").code == 0
    assert project.bursar("resume", "--trust").code == 0


ACTION = (
    '<task type="checkpoint:human-action" depends-on="">\n  <name>Get a key</name>\n'
    "  <instructions>Ask for one.</instructions>\n</task>\n"
)


def test_asked_in_the_terminal_while_the_run_is_on(make_project: MakeProject) -> None:
    """The run neither ends nor stands still while a person thinks; at ctrl-D it goes as far as it can."""
    text = plan(DECISION, ACTION, task("Three", 'depends-on="1"'), task("Four", 'depends-on="2"'), parallel("Apart"))
    project = make_project(text, script({3: [write("three.txt")], 4: [write("four.txt")], 5: [write("apart.txt")]}))
    terminal = Terminal(project)
    terminal.wait_until_said("type one of file, server [Enter: later, ctrl-D: leave] >")
    terminal.wait_until_said("✓ 5  Apart")
    terminal.type("cloud\n")
    terminal.wait_until_said("'cloud' is none of the options of task 1")
    terminal.type("\n")
    terminal.wait_until_said("task 2 (Get a key) waits: type your answer")
    terminal.type("it is in .env\n")
    terminal.wait_until_said("✓ 4  Four")
    terminal.type("\x04")
    assert terminal.end() == 5
    assert project.states == {"1": "waiting", "2": "merged", "3": "pending", "4": "merged", "5": "merged"}
    (prompt,) = project.state.glob("runs/*/attempts/4-1/prompt.md")
    assert "- Get a key: it is in .env\n" in prompt.read_text()
    project.assert_tidy()


def test_what_happens_meanwhile_is_not_told_behind_the_question(make_project: MakeProject) -> None:
    steps = {2: [write("two.txt", wait_for="the question")]}
    project = make_project(plan(DECISION, parallel("Two")), script(steps))
    terminal = Terminal(project)
    asks = "type one of file, server [Enter: later, ctrl-D: leave] > "
    terminal.wait_until_said(asks)
    project.server.open_gate("the question")
    terminal.wait_until_said("✓ 2  Two")
    terminal.wait_until_said(asks, times=2)  # and it is there again below
    terminal.type("\x04")
    assert terminal.end() == 5
    assert f"{asks}\n  ✓ 2  Two" in terminal.said


def test_after_ctrl_c_nothing_is_asked_any_more(make_project: MakeProject) -> None:
    """What is said then begins a line, and the question is not below it again."""
    terminal = Terminal(make_project(plan(DECISION), script({})))
    asks = "type one of file, server [Enter: later, ctrl-D: leave] > "
    terminal.wait_until_said(asks)
    terminal.type("\x03")
    terminal.wait_until_said("metered 0 tokens")
    assert terminal.end() == 130
    assert f"{asks}^C\nstopping: agents get up to 5 s to end" in terminal.said
    assert terminal.said.count(asks) == 1


def test_a_status_says_how_a_decision_is_answered(make_project: MakeProject) -> None:
    project = make_project(plan(DECISION), script({}))
    assert project.run().code == 5
    run = project.report["run"]
    assert f"→  bursar answer {run} 1 OPTION" in project.bursar("status").out
    without = project.bursar("answer", run, "1")
    assert (without.code, without.err.splitlines()[0]) == (2, "error: the answer to task 1 is empty")
    assert f"hint: bursar answer {run} 1 OPTION\n  file: " in without.err
    assert project.bursar("answer", run, "9").err.startswith(f"error: task 9 of run {run} does not wait for a person")


def test_a_type_that_no_checkpoint_has_is_no_leave(make_project: MakeProject) -> None:
    """Else a slip of the pen is found in the morning, with the run still waiting."""
    project = make_project(plan(DECISION), script({}))
    ended = project.run("--auto-approve", "human-verfy")
    assert ended.code == 2
    assert "error: --auto-approve: no checkpoint is of type 'human-verfy'" in ended.err
    assert "hint: one of checkpoint, decision, human-action, human-verify, verify" in ended.err
    assert project.run("--auto-approve", "checkpoint:decision").code == 0


class Terminal:
    """`bursar run` with somebody at the terminal."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.said = ""
        pid, self._fd = pty.fork()
        if pid == 0:
            os.chdir(project.repo)
            os.execve(BURSAR, [str(BURSAR), "run", PLAN, "--trust"], project.environment | {"NO_COLOR": "1"})
        self._pid = pid

    def type(self, text: str) -> None:
        os.write(self._fd, text.encode())

    def wait_until_said(self, words: str, times: int = 1) -> None:
        while self.said.count(words) < times:
            assert select.select([self._fd], [], [], PATIENCE)[0], f"it has not said {words!r}: {self.said}"
            self.said += os.read(self._fd, 65536).decode().replace("\r\n", "\n")

    def end(self) -> int:
        """It has ended; its exit code."""
        with suppress(OSError):
            while os.read(self._fd, 65536):
                pass
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
