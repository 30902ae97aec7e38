"""`bursar`: finds the command's module, turns errors into exit codes, imports only what the command needs."""

from __future__ import annotations

import gc
import os
import sys

from bursar import __version__
from bursar.errors import BUG, CTRL_C, OK, BursarError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, TextIO

COMMANDS = {
    "plan": ("bursar.cli.plan", "read, check, draw, index or annotate plans"),
    "roadmap": ("bursar.cli.roadmap", "show or check a roadmap, and which phases can start"),
    "parallel": ("bursar.cli.parallel", "which phases can run side by side, and what it saves; run them"),
    "estimate": ("bursar.cli.estimate", "what a plan, a phase or a roadmap will probably take"),
    "route": ("bursar.cli.route", "which model a task should be given, and why; for other programs too"),
    "agent": ("bursar.cli.agent", "which agent CLIs are installed, let in, and how sure a budget is with each"),
    "run": ("bursar.cli.run", "run plans, a roadmap or a job list, or go on with it, under a budget"),
    "resume": ("bursar.cli.resume", "go on with a run, with more money if you say so"),
    "status": ("bursar.cli.status", "runs of this project and how they stand"),
    "pause": ("bursar.cli.pause", "start nothing new in a run; what runs may finish"),
    "stop": ("bursar.cli.stop", "end a run's agents and keep what they have begun, for a resume"),
    "cancel": ("bursar.cli.cancel", "end a run for good; what was not merged is kept on branches"),
    "approve": ("bursar.cli.approve", "pass a checkpoint that waits for a person"),
    "answer": ("bursar.cli.answer", "say what was decided at a checkpoint"),
    "budget": ("bursar.cli.budget", "limits over days, weeks, phases, …: set, show, check, history, alerts"),
    "usage": ("bursar.cli.usage", "what agents have used by their own logs: daily, weekly, …"),
    "price": ("bursar.cli.price", "what a call of a model costs: list, check"),
    "ledger": ("bursar.cli.ledger", "the books: list, verify, export, correct them on evidence, or rebuild them"),
    "alert": ("bursar.cli.alert", "send a test alert to everybody who is told of alerts"),
    "report": ("bursar.cli.report", "what a run did and what it cost"),
    "phase": ("bursar.cli.phase", "sum up a finished phase, so that later tasks have less to read"),
    "learn": ("bursar.cli.learn", "what was learned from finished attempts: report, import, export, correct, forget"),
    "doctor": ("bursar.cli.doctor", "what runs have left in this repository, and clean it up"),
    "token": ("bursar.cli.token", "a token budget for scripts: reserve before, record after"),
}

_HEADINGS = {
    "plan": "before a run",
    "run": "running",
    "status": "while it runs",
    "budget": "money",
    "report": "afterwards",
    "token": "for scripts",
}
"""What stands above a command in the help: the group that it begins."""

_HELP = """\
bursar {version}: runs coding agents on a budget you can trust

usage: bursar COMMAND [...]      bursar COMMAND --help tells more

{commands}

exit codes: 0 ok · 1 a task failed · 2 bad arguments · 3 invalid plan · 4 stopped by a budget
            5 interrupted, can be resumed · 6 agent or git unavailable · 70 bug · 130 ctrl-C

example: bursar run .planning/phases/08-features/08-02-PLAN.md --budget "200k tokens"
"""


_ENDS_AT_ONCE = ("token", "usage")
"""Commands after which Python need not take apart, which takes its time, what the system takes back anyway: they leave
nothing to be done at exit."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code. Without `arguments` it is the program that runs, and may end here."""
    if arguments is not None:
        return _main(list(arguments))
    code = _flushed(_main(sys.argv[1:]))
    if sys.argv[1:2] and sys.argv[1] in _ENDS_AT_ONCE:
        _end(code)
    return code


def _flushed(code: int) -> int:
    """All that was printed is out, and the exit code is still that; or it says why not."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            _lead_nowhere(stream)
        except OSError as error:
            _lead_nowhere(stream)
            code = _tell_machine(error) if stream is sys.stdout else code
    return code


def _lead_nowhere(stream: TextIO) -> None:
    """What is still to be written there is not missed by anybody; else Python would complain at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _end(code: int) -> None:
    """The process is gone, if all that it had to say can be said; else Python ends it, and says so."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return
    os._exit(code)


def _main(given: list[str]) -> int:
    _open_what_is_closed()
    _accept_any_text()
    if any(stream is not None and stream.isatty() for stream in (sys.stdout, sys.stderr)):
        from bursar.cli.terminal import guard_terminal  # here, because scripts need none of it

        guard_terminal()
    try:
        if not given or given[0] in ("-h", "--help", "help"):
            return _print(help_text())
        if given[0] in ("-V", "--version"):
            return _print(f"bursar {__version__}\n")
        return _run_command(given[0], given[1:])
    except BursarError as error:
        tell_error(error)
        return error.exit_code
    except KeyboardInterrupt:
        return CTRL_C
    except BrokenPipeError:
        sys.stderr.close()  # whoever read our output has gone; there is nobody to complain to
        return OK
    except Exception as error:  # noqa: BLE001 — the last resort, which says so and keeps the traceback
        return _tell_machine(error) if isinstance(error, OSError) and _is_of_the_machine(error) else _tell_bug(error)


def _print(text: str) -> int:
    sys.stdout.write(text)
    sys.stdout.flush()
    return OK


def help_text() -> str:
    """What `bursar --help` prints."""
    width = max(map(len, COMMANDS)) + 2
    lines = [f"{_heading(name)}  {name:<{width}}{text}" for name, (_, text) in COMMANDS.items()]
    return _HELP.format(version=__version__, commands="\n".join(lines).lstrip("\n"))


def _heading(name: str) -> str:
    """The line that begins a group, with an empty one before it, if this command does; else nothing."""
    return f"\n{_HEADINGS[name]}:\n" if name in _HEADINGS else ""


def tell_error(error: BursarError) -> None:
    """`error:`, the facts, and a hint that can be pasted, on stderr, if anything can be said there."""
    hint = f"\nhint: {_harmless(error.hint)}\n" if error.hint else ""
    try:
        sys.stderr.write(f"error: {_harmless(error.message)}\n{hint}")
    except OSError:
        return


def _harmless(text: str) -> str:
    """What a terminal would obey is escaped: names in errors may be those of a repository that somebody else wrote."""
    if text.isprintable():
        return text
    kept = "\n\t"
    return "".join(sign if sign.isprintable() or sign in kept else repr(sign)[1:-1] for sign in text)


def _open_what_is_closed() -> None:
    """A standard stream that was closed before leads nowhere; else the next file that is opened would take its place,
    and what is meant for a person would be written into it."""
    if None not in (sys.stdin, sys.stdout, sys.stderr):
        return
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # the lowest that is free
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _accept_any_text() -> None:
    """A file name or a terminal that is not UTF-8 is no reason to fail: what cannot be said is plain, or escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is None:
            continue
        how = "backslashreplace"
        if (stream.encoding or "").lower() != "utf-8":
            from bursar.cli.plain_signs import register  # here, because hardly anybody needs it

            how = register()
        reconfigure(errors=how)


def _run_command(name: str, arguments: list[str]) -> int:
    if name not in COMMANDS:
        import difflib

        from bursar.errors import UserError

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean `bursar {near[0]}`?" if near else "bursar --help lists the commands"
        raise UserError(f"there is no command `{name}`", hint=hint)
    code: int = _load(COMMANDS[name][0]).main(arguments)
    return code


def _load(module: str) -> Any:
    """The command's module. What is made by an import stays: meanwhile nobody looks for garbage, which takes long."""
    if not gc.isenabled():
        return __import__(module, fromlist=["main"])  # `importlib` would bring `warnings` along
    gc.disable()
    try:
        return __import__(module, fromlist=["main"])
    finally:
        gc.enable()


def _is_of_the_machine(error: OSError) -> bool:
    """It is a full or broken disk, or a limit of the system: nothing that a report of a bug could help."""
    import errno

    return error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG, errno.EMFILE, errno.ENFILE)


def _tell_machine(error: OSError) -> int:
    import errno

    from bursar.errors import SetupError

    where = f": {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) else ""
    is_disk = error.errno in (errno.ENOSPC, errno.EDQUOT)
    tell_error(SetupError(f"{error.strerror}{where}", hint="df -h" if is_disk else None))
    return SetupError.exit_code


def _tell_bug(error: Exception) -> int:
    import traceback

    traceback.print_exception(error)
    sys.stderr.write(f"\nerror: this is a bug in bursar {__version__}: please report it with the lines above\n")
    return BUG
