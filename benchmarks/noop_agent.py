"""The cheapest honest agent: reads its prompt, rewrites the one file that the prompt names, prints a session's events.

Run it as `python -I -S noop_agent.py MODEL` with the prompt on standard input and the worktree as current directory.
"""

import sys

EVENTS = """\
{"type":"system","subtype":"init","session_id":"s","model":"MODEL","claude_code_version":"0"}
{"type":"assistant","message":{"id":"m1","model":"MODEL","stop_reason":"end_turn","usage":USAGE,"content":[]}}
{"type":"result","subtype":"success","is_error":false,"result":"done","usage":USAGE}
"""
USAGE = '{"input_tokens":100,"cache_read_input_tokens":0,"cache_creation_input_tokens":0,"output_tokens":20}'

prompt = sys.stdin.read()
heading = prompt.partition("\n")[0]
path = prompt.partition("## Files\n- ")[2].partition("\n")[0]
with open(path, "w", encoding="utf-8") as file:
    file.write(heading + "\n")
sys.stdout.write(EVENTS.replace("MODEL", sys.argv[1]).replace("USAGE", USAGE))
