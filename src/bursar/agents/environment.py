"""Which variables of the user's environment an agent gets: those on a list, and no others.

Whatever else lies in it (tokens of other services, keys of other agents, marks of a session around us) stays out.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

# What programs need to run at all, to show text, to find the time, to put temporary files, to reach the network.
BASE_VARIABLES = frozenset(
    {
        *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TERM", "COLORTERM", "NO_COLOR", "TZ"),
        *("LANG", "LANGUAGE", "TMPDIR", "TMP", "TEMP"),
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    }
)
BASE_PREFIXES = ("LC_",)

# Marks the environment of an agent that goes on with a conversation, for its reader: how many bytes of the session's
# log are of earlier processes, for those that follow it.
CONTINUES = "BURSAR_CONTINUES"

# Tells the reader of a program of the user's own where in its lines is what: an `EventMapping`, as JSON.
EVENTS = "BURSAR_EVENTS"


def bytes_before(environment: Mapping[str, str]) -> int:
    """How much of the session's log was there before this process; 0 for a conversation of its own."""
    text = environment.get(CONTINUES, "")
    return int(text) if text.isascii() and text.isdigit() else 0


def allowed(
    environment: Mapping[str, str], names: Collection[str] = (), prefixes: Iterable[str] = ()
) -> dict[str, str]:
    """The base list, `names`, and what begins with one of `prefixes`; a name that ends in `*` is a prefix."""
    starts = (*BASE_PREFIXES, *prefixes, *(name[:-1] for name in names if name.endswith("*")))
    exact = BASE_VARIABLES.union(names)
    return {name: value for name, value in environment.items() if name in exact or name.startswith(starts)}
