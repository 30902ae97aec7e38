"""What holds for every test: examples have no deadline, for a slow machine is no fault; and a ctrl-C is one."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("bursar", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bursar")

# A shell starts what runs in its background with ctrl-C ignored, and every command of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
