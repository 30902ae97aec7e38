"""Which phases of a roadmap may work now: so many at once, and only as far as tokens are left for each.

A run of anything but a roadmap has no phases: all is admitted. Plans of a run of several are closed here, too: each
gets its SUMMARY as soon as its last task is merged.

Source: docs/decisions/0042-phases-side-by-side.md
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bursar.events import PhaseEnded, PhaseHeldBack, PhaseStarted
from bursar.graph import Verdict, judge_group
from bursar.plan import Part
from bursar.run.context import RunContext
from bursar.run.phase_funds import Grant, PhaseFunds
from bursar.run.place import Place
from bursar.run.scheduler import Scheduler, Standing

_OVER = frozenset({Standing.DONE, Standing.FAILED, Standing.SKIPPED})


class Phases:
    """The phases of one run. `look` is called before anything is started, and says by `admits` what may be."""

    def __init__(self, context: RunContext, place: Place, scheduler: Scheduler) -> None:
        """`scheduler` says which tasks are ready and which are done; it is not changed here."""
        self._context = context
        self._scheduler = scheduler
        self._place = place
        program = context.program
        self._tasks = {task.number: task for task in context.plan.tasks} if program is not None else {}
        self._open_parts: list[Part] = [] if program is None else list(program.parts)
        self._numbers: dict[str, dict[str, None]] = {number: {} for number in (program.phases if program else ())}
        self._phase_of: dict[str, str] = {}
        for part in self._open_parts:
            for number in program.numbers_of(part) if program and part.phase else ():
                self._numbers[part.phase][number] = None
                self._phase_of[number] = part.phase
        self._funds = PhaseFunds(context, place)
        self._held: set[str] = set()  # phases that have been started and not ended
        self._ended: set[str] = set()
        self._busy: set[str] = set()
        self._told: set[str] = set()
        self.refused: Mapping[str, str] = {}

    @property
    def are_gated(self) -> bool:
        """Whether the run is of a roadmap, so that tasks wait for their phases."""
        return bool(self._numbers)

    def admits(self, number: str) -> bool:
        """Whether the task may start as far as its phase is concerned. People may be asked at any time."""
        phase = self._phase_of.get(number)
        return phase is None or phase in self._busy or self._is_for_people(number)

    def refusal_of(self, number: str) -> str | None:
        """Why the task's phase has not been started, where tokens are to blame."""
        return self.refused.get(self._phase_of.get(number, ""))

    async def look(self, running: Iterable[str]) -> bool:
        """Plans that are done are closed, phases that are over are ended, and those that may start are started.

        Returns:
            Whether one has been started that was not at work before.
        """
        if self._context.program is None:
            return False
        await self._close_plans()
        if not self._numbers:
            return False
        await self._end_phases()
        before = self._busy
        await self._start_phases({self._phase_of[number] for number in running})
        return bool(self._busy - before)

    async def finish(self) -> None:
        """The run is at its end, for now at least: what phases have used so far is recorded, nothing is held."""
        if self._context.program is None:
            return
        await self._close_plans()
        await self._end_phases()
        for phase in sorted(self._held):
            await self._funds.record(phase, self._numbers[phase])

    async def _close_plans(self) -> None:
        program = self._context.program
        for part in list(self._open_parts):
            numbers = program.numbers_of(part) if program is not None else ()
            if all(self._scheduler.standing(number) is Standing.DONE for number in numbers):
                await self._place.close_plan(part)
                self._open_parts.remove(part)

    async def _end_phases(self) -> None:
        for phase, numbers in self._numbers.items():
            if phase in self._ended or any(self._scheduler.standing(number) not in _OVER for number in numbers):
                continue
            self._ended.add(phase)
            tokens = await self._funds.record(
                phase, self._numbers[phase]
            )  # again where an earlier conductor died before it could say so
            if phase not in self._held:
                continue
            self._held.discard(phase)
            done = sum(1 for number in numbers if self._scheduler.standing(number) is Standing.DONE)
            event = PhaseEnded(phase=phase, name=self._name(phase), tasks=len(numbers), done=done, tokens=tokens)
            self._context.emit(event)

    async def _start_phases(self, running: set[str]) -> None:
        """Phases that work go on before others begin; those that are only waited for leave their place to others."""
        work = [number for number in self._scheduler.ready() if not self._is_for_people(number)]
        ready = dict.fromkeys(self._phase_of[number] for number in work)
        self._busy = set(running) | {phase for phase in ready if phase in self._held}
        for phase in sorted(running - self._held):  # an earlier conductor started it
            self._held.add(phase)
            await self._funds.go_on(phase)
        self.refused = {}
        denied: dict[str, str] = {}
        least: int | None = None  # of what was denied: who needs as much need not ask
        candidates = [phase for phase in ready if phase not in self._busy]
        places = await self._places(candidates)
        for phase in candidates:
            if len(self._busy) >= places:
                break
            grant = await self._start(phase, least)
            if not grant.is_granted:
                denied[phase], least = "the token session has no room for it", grant.tokens
        if not self._busy:  # else somebody is at work who may give tokens back
            self.refused = {**denied, **self.refused}

    async def _places(self, candidates: Sequence[str]) -> int:
        """How many phases may be at work at once now."""
        settings = self._context.settings
        at_once = min(settings.max_phases, len(self._busy) + len(candidates))
        if not candidates or at_once <= max(1, len(self._busy)):
            return settings.max_phases
        needed, left = at_once * settings.phase_tokens, await self._funds.left()
        verdict = judge_group(needed, left, falls_back=settings.falls_back)
        if verdict is Verdict.CAN_PROCEED:
            return settings.max_phases
        short = f"{left:,} tokens are left, and {at_once} phases side by side need {needed:,}"
        if verdict is Verdict.FALLBACK_SEQUENTIAL:
            self._tell(candidates[-1], f"{short}: phases run one after the other", once="one after the other")
            return 1
        if not self._busy:
            self.refused = dict.fromkeys(candidates, short)
        self._tell(candidates[-1], f"{short}, and FALLBACK_TO_SEQUENTIAL is false")
        return 0

    async def _start(self, phase: str, at_most: int | None) -> Grant:
        """The phase may work from now on, if there is room for it."""
        if phase in self._held:
            self._busy.add(phase)
            return Grant(is_granted=True)
        grant = await self._funds.ask(
            phase, [each for each in self._numbers if self._is_finished(each)], at_most=at_most
        )
        if not grant.is_granted:
            left = await self._funds.in_session()
            self._tell(phase, f"it needs {grant.tokens:,} tokens, and the token session has {left:,} left")
            return grant
        if grant.tokens < grant.asked_first:
            saved = f"it needs {grant.tokens:,} tokens instead of {grant.asked_first:,}"
            self._tell(phase, f"finished phases are summed up: {saved}")
        self._busy.add(phase)
        self._held.add(phase)
        tasks, held = len(self._numbers[phase]), grant.tokens
        self._context.emit(PhaseStarted(phase=phase, name=self._name(phase), tasks=tasks, held_tokens=held))
        return grant

    def _is_finished(self, phase: str) -> bool:
        program = self._context.program
        is_open = any(part.phase == phase for part in self._open_parts)
        return program is not None and phase in self._ended and not is_open

    def _is_for_people(self, number: str) -> bool:
        """The task is a checkpoint that does not pass by itself."""
        task = self._tasks[number]
        return task.is_checkpoint and task.type.partition(":")[2] not in self._context.settings.auto_approved

    def _name(self, phase: str) -> str:
        parts = () if self._context.program is None else self._context.program.parts
        return next((part.phase_name for part in parts if part.phase == phase), "")

    def _tell(self, phase: str, because: str, *, once: str = "") -> None:
        """Once, however often it is found out; and once for all that is told under the same name."""
        if (once or because) not in self._told:
            self._told.add(once or because)
            self._context.emit(PhaseHeldBack(phase=phase, name=self._name(phase), because=because))
