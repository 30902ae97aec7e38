"""The public testing kit: what bursar's own tests stand on, and what tests of a plug-in may stand on too.

Import its modules one by one (`from bursar.testing.model_server import ModelServer`). This door imports none of them:
`python -m bursar.testing.scripted_agent` is spawned thousands of times, and each import here would be paid each time.

    script          what the fake model answers, as data
    model_server    the APIs of Anthropic, OpenAI and Gemini on loopback, with a bill
    scripted_agent  a coding agent that obeys the fake model; a program, no part of bursar is imported by it
    agent_install   the real agent CLIs, pinned, in a cache folder
    agent_runs      one run of an agent's adapter, without a ledger
    simulation      whole runs in memory, from one seed, through crashes and full disks; `simulated_audit` audits them
    virtual_time    a timeline, a clock and an event loop on it: hours pass in milliseconds
    power_cut       a disk for SQLite that loses power, is full or broken: torn, lost and reordered sectors
"""

__all__: list[str] = []
